# The two commands are `make demo` and `make test`; both set up everything they need in .venv/.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
UV ?= uv
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test check lint types generated tables format prove bench requirements clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.sandbox  ## sandbox ERP, embedded broker, connector and a consumer: make demo ARGS="--for 20 --json"
	@$(BIN)/cien-connector demo $(ARGS)

test: $(VENV)/.dev  ## every test, on a real Kafka (Docker, or Apache's artifacts on a local Java or one from PyPI)
	@$(BIN)/python -m pytest $(ARGS)

check: lint types generated  ## lint, types, generated files current

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev
	@$(BIN)/mypy

generated: $(VENV)/.dev  ## the tables of docs/ that come from code are current
	@$(BIN)/python -m connector.settings.reference --check
	@$(BIN)/python -m connector.ops.reference --check

tables: $(VENV)/.dev  ## write those tables anew
	@$(BIN)/python -m connector.settings.reference
	@$(BIN)/python -m connector.ops.reference

prove: $(VENV)/.dev  ## broken loops beside the real one, on a real Kafka: what each loses or doubles
	@$(BIN)/python -m tests.chaos.proof

bench: $(VENV)/.dev  ## what it costs, the short forms; the figures and the long forms: docs/benchmarks.md
	@$(BIN)/python -m benchmarks.drain --records 20000 --rounds 2
	@$(BIN)/python -m benchmarks.stages --records 20000
	@$(BIN)/python -m benchmarks.memory --records 10000 100000 --plain-up-to 10000 --idle-seconds 10
	@$(BIN)/python -m benchmarks.latency --seconds 5
	@$(BIN)/python -m benchmarks.encoding

format: $(VENV)/.dev  ## format and mend what ruff can mend
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

requirements:  ## write requirements/*.txt anew from pyproject.toml (needs uv)
	@for extra in run: "sandbox:--extra sandbox --extra install" "dev:--all-extras"; do \
	  $(UV) pip compile -q pyproject.toml $${extra#*:} --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements" \
	    -o requirements/$${extra%%:*}.txt; done

clean:  ## remove what set-up and tests made
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build

# One line with the remedy, before anything else can fail in a stranger way.
$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) not found: install Python 3.11 or newer, or say make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $$($(PYTHON) --version) is too old: install Python 3.11 or newer, or say make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); echo "error: $(PYTHON) cannot make a virtual environment: install its venv module (Debian: apt-get install python3-venv)" >&2; exit 1; }

$(VENV)/.sandbox: $(VENV)/bin/python requirements/sandbox.txt pyproject.toml
	@echo "setting up $(VENV) (once)"
	@$(PIP) install --require-hashes -r requirements/sandbox.txt
	@$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python requirements/dev.txt pyproject.toml
	@echo "setting up $(VENV) for development (once)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@ $(VENV)/.sandbox
