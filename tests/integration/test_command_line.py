"""The commands as a user runs them: exit codes, what stands on which stream, and no traceback ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.sandbox.faults import FaultKind
from tests.brokers import Broker
from tests.integration.scene import TOKEN, Scene, scene

SECRET = "canary-7d1f-secret"
PROGRAM = Path(sys.executable).with_name("cien-connector")


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    exit_code: int
    out: str
    err: str

    @property
    def shown(self) -> Any:
        """What a script reads."""
        return json.loads(self.out)


def cien_connector(*arguments: str | Path, **environment: str) -> Ran:
    """Run a command of the installed program to its end; it never shows a traceback or a secret."""
    ended = subprocess.run(  # noqa: S603  our own program, no shell
        [PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"COLUMNS": "200"} | environment,
    )
    assert "Traceback" not in ended.stderr
    assert SECRET not in ended.stdout + ended.stderr
    return Ran(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture
def here(kafka: Broker, tmp_path: Path) -> Iterator[Scene]:
    """One site with two feeds."""
    with scene(kafka, tmp_path, feeds=("order", "workorder")) as made:
        yield made


@pytest.mark.parametrize("command", ["run", "config", "peek", "topics"])
def test_a_wrong_configuration(command: str, tmp_path: Path) -> None:
    """Exit code 2, and every problem at once on stderr, in the user's spelling."""
    path = tmp_path / "connector.yaml"
    path.write_text(
        "kafka: {bootstrap_server: 'localhost:9092'}\n"
        "sites:\n"
        f"  montreal: {{kind: cienapps, base_url: 'http://erp.example', token: {SECRET}, poll_intervall_seconds: 5}}\n"
    )
    ran = cien_connector(command, "--config", path, CONNECTOR_SERVER__PROT="9108")
    assert ran.exit_code == 2
    assert ran.out == ""
    lines = ran.err.splitlines()
    assert all(line.startswith("error: ") for line in lines)
    for told in ("app", "bootstrap_servers", "bootstrap_server", "poll_intervall_seconds", "allow_plain_http", "PROT"):
        assert any(told in line for line in lines), told


def test_config_masks_secrets(here: Scene, tmp_path: Path) -> None:
    """The effective settings, defaults and environment included, and no secret in either form."""
    here.settings["sites"][here.site]["token"] = SECRET
    config = here.write_config()
    extra = tmp_path / "extra.yaml"
    sasl = {"username": "plant1", "password": SECRET}
    extra.write_text(yaml.safe_dump({"kafka": {"security_protocol": "SASL_SSL", "sasl": sasl}}))
    texts = [
        cien_connector("config", "-c", config, "-c", extra, *as_json, CONNECTOR_SERVER__PORT="9999")
        for as_json in ([], ["--json"])
    ]
    assert [one.exit_code for one in texts] == [0, 0]
    for shown in (yaml.safe_load(texts[0].out), texts[1].shown):
        site = shown["sites"][here.site]
        assert shown["server"]["port"] == 9999
        assert site["stale_list_seconds"] == 900
        assert site["token"] == shown["kafka"]["sasl"]["password"] != SECRET


def test_schemas() -> None:
    """One for each feed, with a fingerprint of 64 bits."""
    rows = {(row["kind"], row["feed"]): row for row in cien_connector("schemas", "--json").shown}
    assert set(rows) >= {("cienapps", feed) for feed in ("order", "quotation", "workorder")}
    assert all(len(bytes.fromhex(row["fingerprint"])) == 8 for row in rows.values())
    assert rows["cienapps", "order"]["fingerprint"] in cien_connector("schemas").out


def test_peek_takes_nothing(here: Scene) -> None:
    """Counts, unknown fields and values that did not fit; no confirm, and no Kafka: there is none at that port."""
    here.settings["kafka"]["bootstrap_servers"] = "127.0.0.1:1"
    here.erp.create(7, "order")
    here.erp.add("order", {"Order_Number": "8812", "Order_Priority": "RUSH", "Customer_City": "SAINT-UNTOLD"})
    here.erp.create(3, "workorder")
    config = here.write_config()
    ran = cien_connector("peek", "--config", config, "--json")
    assert ran.exit_code == 0
    order, workorder = ran.shown
    assert (order["pending"], order["would_publish"], order["bad"]) == (8, 8, [])
    assert (order["lowest_sync_id"], order["highest_sync_id"]) == (1, 8)
    assert order["unknown_fields"] == {"Order_Priority": 1}
    assert order["values_that_did_not_fit"] == {"Order_Number": 1}
    assert workorder["would_publish"] == 3
    table = cien_connector("peek", "--config", config)
    assert table.exit_code == 0
    for told in ("Order_Priority 1", "Order_Number 1", "Nothing was confirmed, nothing was published."):
        assert told in table.out
    assert "SAINT-UNTOLD" not in ran.out + table.out
    assert "SAINT-UNTOLD" in cien_connector("peek", "--config", config, "--records", "8").out
    assert here.erp.counts.confirm_requests == 0
    assert [len(here.erp.pending(feed)) for feed in ("order", "workorder")] == [8, 3]


def test_peek_tells_problems(here: Scene) -> None:
    """Exit code 1, the reason of each feed, and the others looked at all the same."""
    here.erp.add("order", b'{"SyncID": 1, "Order_Title": "A", "Order_Title": "B"}')
    here.erp.create(2, "workorder")
    config = here.write_config()
    ran = cien_connector("peek", "--config", config)
    assert ran.exit_code == 1
    assert "SyncID 1 has a name twice" in ran.out
    here.has(FaultKind.LOGIN_PAGE)
    ran = cien_connector("peek", "--config", config, "--json")
    assert ran.exit_code == 1
    assert all("HTML page" in seen["problem"] for seen in ran.shown)
    assert here.erp.counts.confirm_requests == 0


@pytest.mark.real_kafka
def test_topics(here: Scene) -> None:
    """Missing ones are listed with exit code 3, `run` names the command that makes them, and it does."""
    del here.settings["kafka"]["create_topics"]
    config = here.write_config()
    ran = cien_connector("run", "--config", config)
    assert ran.exit_code == 3
    assert f"missing topics: {here.topic()}, {here.topic()}.dead-letter" in ran.err
    assert "cien-connector topics --create" in ran.err
    listed = cien_connector("topics", "--config", config, "--json")
    assert listed.exit_code == 3
    names = [f"{here.topic(feed)}{suffix}" for feed in ("order", "workorder") for suffix in ("", ".dead-letter")]
    assert listed.shown["missing"] == names
    assert cien_connector("topics", "--config", config, "--create").exit_code == 2
    how = ("--partitions", "2", "--replication-factor", "1", "--min-insync-replicas", "1")
    made = cien_connector("topics", "--config", config, "--create", *how, "--json")
    assert (made.exit_code, made.shown["created"]) == (0, names)
    again = cien_connector("topics", "--config", config)
    assert again.exit_code == 0
    assert "MISSING" not in again.out
    assert here.erp.counts.list_requests.total() == 0


def test_a_kafka_that_does_not_answer(here: Scene) -> None:
    """A command that asks once says so and leaves with 1."""
    here.settings["kafka"]["bootstrap_servers"] = "127.0.0.1:1"
    ran = cien_connector("topics", "--config", here.write_config())
    assert ran.exit_code == 1
    assert ran.err.splitlines()[-1].startswith("error: checking topics")
    assert "check kafka.bootstrap_servers" in ran.err


def test_a_port_that_is_taken(here: Scene) -> None:
    """Exit code 3, and the message names the setting."""
    here.settings["server"]["port"] = int(here.settings["sites"][here.site]["base_url"].rpartition(":")[2])
    ran = cien_connector("run", "--config", here.write_config())
    assert ran.exit_code == 3
    assert "server.port" in ran.err
    assert TOKEN not in ran.err
