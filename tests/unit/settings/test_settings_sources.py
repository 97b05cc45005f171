"""Where settings come from, in which order, and how their problems are spelled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.errors import ConfigurationWrong
from connector.settings import effective, load_settings
from tests.fakes.settings_files import MINIMAL, SECRET, Write, problems

PLAIN = "http:// lets anyone on the way read the API key: use https://, or set allow_plain_http: true"
CONTRACT = """\
app: plant1-production
kafka:
  bootstrap_servers: kafka-1:9092,kafka-2:9092
  create_topics: {partitions: 6}
sites:
  montreal:
    kind: cienapps
    base_url: https://erp.example:8443
    token_file: TOKEN_FILE
    poll_interval_seconds: 0.5
    feeds: [order, quotation, workorder]
    confirm: after_ack
value_encoding: single_object
server: {host: 127.0.0.1, port: 9108}
"""


def test_contract_shape_is_read(write: Write) -> None:
    """The shape that was promised loads, with the defaults that were promised."""
    token_file = write(f"  {SECRET}\n", "token")
    settings = load_settings([write(CONTRACT.replace("TOKEN_FILE", str(token_file)))], {})
    site = settings.sites["montreal"]
    assert settings.kafka.create_topics is not None
    topics = settings.kafka.create_topics
    assert (topics.partitions, topics.replication_factor, topics.min_insync_replicas, topics.retention_days) == (
        (6, 3, 2, 14)
    )
    assert (site.poll_interval_seconds, site.feeds) == (0.5, ("order", "quotation", "workorder"))
    assert site.read_token().get_secret_value() == SECRET
    assert (settings.stop_seconds, site.stale_list_seconds, site.concurrent_lists) == (25, 900, 1)
    assert settings.kafka.compression == "zstd"


def test_settings_are_frozen(write: Write) -> None:
    """Nothing changes a setting once it is read."""
    settings = load_settings([write(MINIMAL)], {})
    with pytest.raises(ValidationError):
        settings.app = "other"  # type: ignore[misc]


def test_later_file_overrides_key_by_key(write: Write) -> None:
    """A second file changes one key of a site and leaves the others."""
    first = write(MINIMAL)
    second = write("sites: {montreal: {poll_interval_seconds: 2}}\nserver: {port: 0}\n", "more.yaml")
    settings = load_settings([first, second], {})
    assert settings.sites["montreal"].poll_interval_seconds == 2
    assert settings.sites["montreal"].base_url == "https://erp.example:8443"
    assert settings.server.port == 0


def test_environment_overrides_files(write: Write) -> None:
    """Variables override single keys, in every shape a value can have."""
    settings = load_settings(
        [write(MINIMAL)],
        {
            "CONNECTOR_SITES__MONTREAL__TOKEN": "other",
            "CONNECTOR_SITES__MONTREAL__FEEDS": "order, quotation",
            "CONNECTOR_SITES__MONTREAL__POLL_INTERVAL_SECONDS": "0.25",
            "CONNECTOR_SITES__MONTREAL__TOPICS": '{"order": "erp.orders"}',
            "CONNECTOR_KAFKA__CREATE_TOPICS": "{partitions: 6}",
            "CONNECTOR_KAFKA__CREATE_TOPICS__MIN_INSYNC_REPLICAS": "1",
            "CONNECTOR_SERVER__PORT": "0",
            "CONNECTOR_SITES__LAVAL__KIND": "cienapps",
            "CONNECTOR_SITES__LAVAL__BASE_URL": "https://laval.example",
            "CONNECTOR_SITES__LAVAL__TOKEN": "[not a list",
            "PATH": "/bin",
        },
    )
    montreal = settings.sites["montreal"]
    assert montreal.read_token().get_secret_value() == "other"
    assert montreal.feeds == ("order", "quotation")
    assert montreal.poll_interval_seconds == 0.25
    assert (settings.topic("montreal", "order"), settings.topic("montreal", "quotation")) == (
        ("erp.orders", "montreal.quotation")
    )
    assert settings.kafka.create_topics is not None
    assert settings.kafka.create_topics.min_insync_replicas == 1
    assert settings.sites["laval"].read_token().get_secret_value() == "[not a list"


def test_environment_alone_is_enough() -> None:
    """No file is needed."""
    environ = {
        "CONNECTOR_APP": "plant1",
        "CONNECTOR_KAFKA": '{"bootstrap_servers": "k:9092"}',
        "CONNECTOR_SITES__M__KIND": "cienapps",
        "CONNECTOR_SITES__M__BASE_URL": "http://127.0.0.1:1",
        "CONNECTOR_SITES__M__TOKEN": "t",
    }
    assert load_settings([], environ).kafka.bootstrap_servers == "k:9092"


def test_kubernetes_variables_are_no_settings(write: Write) -> None:
    """What Kubernetes injects for a Service called connector, or connector-something, is not looked at."""
    injected = {
        "CONNECTOR_SERVICE_HOST": "10.0.0.1",
        "CONNECTOR_SERVICE_PORT": "9108",
        "CONNECTOR_SERVICE_PORT_HTTP_METRICS": "9108",
        "CONNECTOR_PORT": "tcp://10.0.0.1:9108",
        "CONNECTOR_PORT_9108_TCP": "tcp://10.0.0.1:9108",
        "CONNECTOR_PORT_9108_TCP_PROTO": "tcp",
        "CONNECTOR_PORT_9108_TCP_PORT": "9108",
        "CONNECTOR_PORT_9108_TCP_ADDR": "10.0.0.1",
        "CONNECTOR_PORT_53_UDP_ADDR": "10.0.0.1",
        "CONNECTOR_CIEN_CONNECTOR_SERVICE_HOST": "10.0.0.1",
        "CONNECTOR_CIEN_CONNECTOR_PORT_9108_TCP": "tcp://10.0.0.1:9108",
        "CONNECTOR_TEST_KAFKA": "localhost:9092",
    }
    assert load_settings([write(MINIMAL)], injected).app == "plant1"


@pytest.mark.parametrize(
    ("variable", "suggestion"),
    [
        ("CONNECTOR_KAFKA_BOOTSTRAP_SERVERS", "CONNECTOR_KAFKA__BOOTSTRAP_SERVERS"),
        ("CONNECTOR_SITES__MONTREAL__TOKN", "CONNECTOR_SITES__MONTREAL__TOKEN"),
        ("CONNECTOR_STOP_SECOND", "CONNECTOR_STOP_SECONDS"),
    ],
)
def test_unknown_variable_is_an_error(write: Write, variable: str, suggestion: str) -> None:
    """A variable of our prefix that sets nothing is refused, and the nearest one named."""
    assert problems(write(MINIMAL), **{variable: SECRET}) == [
        f"{variable}: no such setting: did you mean {suggestion}?"
    ]


def test_variable_with_port_of_another_service_name_is_an_error(write: Write) -> None:
    """Only a Service whose own host variable is there excuses its other variables."""
    assert problems(write(MINIMAL), CONNECTOR_SERVER_PORT="9108") == [
        "CONNECTOR_SERVER_PORT: no such setting: did you mean CONNECTOR_SERVER__PORT?"
    ]


def test_all_problems_are_listed_at_once(write: Write) -> None:
    """One run shows everything, each in the spelling of the source it came from."""
    first = write(
        """\
app: Plant1
kafka: {bootstrap_servers: kafka, compresion: lz4, security_protocol: SASL_SSL}
sites:
  montreal: {kind: cienapps, base_url: "http://erp.example", poll_interval_seconds: 0}
  laval: {base_url: "https://laval.example", token: 12345}
""",
        "a.yaml",
    )
    second = write("value_encoding: confluent\nstop_second: 3\n", "b.yaml")
    environ = {"CONNECTOR_SERVER__PORT": "99999", "CONNECTOR_LGOS__LEVEL": "info"}
    assert problems(first, second, **environ) == [
        "CONNECTOR_LGOS__LEVEL: no such setting: did you mean CONNECTOR_LOGS__LEVEL?",
        "a.yaml: app: must match [a-z][a-z0-9-]*",
        "a.yaml: kafka.bootstrap_servers: must be host:port, several with commas between: kafka-1:9092,kafka-2:9092",
        "a.yaml: kafka.sasl: is needed with security_protocol SASL_SSL",
        "a.yaml: kafka.compresion: no such setting: did you mean compression?",
        f"a.yaml: sites.montreal.base_url: {PLAIN}",
        "a.yaml: sites.montreal.token_file: give exactly one of token and token_file",
        "a.yaml: sites.montreal.poll_interval_seconds: must be greater than 0",
        "a.yaml: sites.laval.kind: is missing: set it in a file, or as CONNECTOR_SITES__LAVAL__KIND",
        "a.yaml: sites.laval.token: must be text: a number or date stands in quotes",
        "b.yaml: value_encoding: confluent is not in this release: say single_object",
        "CONNECTOR_SERVER__PORT: must be less than or equal to 65535",
        "b.yaml: stop_second: no such setting: did you mean stop_seconds?",
    ]


def test_missing_settings_name_their_variable() -> None:
    """Nothing at all is answered with what is needed."""
    assert problems() == [
        "app: is missing: set it in a file, or as CONNECTOR_APP",
        "kafka: is missing: set it in a file, or as CONNECTOR_KAFKA",
        "sites: is missing: set it in a file, or as CONNECTOR_SITES",
    ]


def test_missing_file_is_one_line(tmp_path: Path) -> None:
    """A file that is not there is one problem, not one for each setting it does not give."""
    assert problems(tmp_path / "none.yaml") == ["none.yaml: cannot be read: no such file or directory"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("app: [plant1\nkafka: x", "line 2, column 6: expected ',' or ']', but got ':'"),
        ("app: a\nkafka:\n  x: 1\n x: 2", "line 4, column 2: expected <block end>, but found '<block mapping start>'"),
        ("- app", None),
        ("app: 2024-99-99", "line 1, column 6: a value that YAML takes for a number or date"),
        ("app: &a [*a]", "line 1, column 6: an alias refers to what contains it"),
        ("app: !!python/name:os.system", "line 1, column 6: could not determine a constructor"),
        ("app: \x01", "is no YAML: it holds a character that no YAML file may hold"),
    ],
)
def test_bad_yaml_names_line_and_column(write: Write, text: str, problem: str | None) -> None:
    """A file that cannot be understood is one problem, at its place."""
    [found] = problems(write(text))
    assert found.startswith(f"connector.yaml: {problem or 'is no mapping of settings'}")


@pytest.mark.parametrize(
    "value", [f"*{SECRET}", f"!{SECRET} x", f'"\\q{SECRET}"', f"&{SECRET} [&{SECRET} 1", f"@{SECRET}"]
)
def test_secret_that_breaks_the_syntax_is_not_shown(write: Write, value: str) -> None:
    """An unquoted secret may look like an alias or a tag to YAML; the message names its place only."""
    [found] = problems(write(f"token: {value}\n"))
    assert found.startswith("connector.yaml: line ")
    assert "column" in found


def test_duplicate_key_is_refused(write: Write) -> None:
    """A key given twice in one mapping is not silently the last one."""
    text = MINIMAL + "  montreal: {kind: cienapps}\n"
    assert problems(write(text)) == ["connector.yaml: line 5, column 3: montreal stands twice in its mapping"]


def test_anchor_and_merge_key_work(write: Write) -> None:
    """YAML's own way of sharing settings between sites is understood."""
    text = MINIMAL.replace("montreal: {", "montreal: &defaults {") + "  laval: {<<: *defaults, feeds: [order]}\n"
    settings = load_settings([write(text)], {})
    assert settings.sites["laval"].feeds == ("order",)
    assert settings.sites["laval"].base_url == settings.sites["montreal"].base_url


def test_key_that_yaml_takes_for_a_boolean_is_refused(write: Write) -> None:
    """A site called `on` is a boolean to YAML, and is said to need quotes."""
    text = MINIMAL + "  on: {kind: cienapps}\n"
    assert problems(write(text)) == ["connector.yaml: line 5, column 3: a key that is no text: put it in quotes"]


def test_effective_settings_show_no_secret_and_load_again(write: Write) -> None:
    """What is in effect prints as YAML in the files' shape, secrets masked."""
    sasl = "security_protocol: SASL_SSL, sasl: {username: u, password: canary-f00d-secret}"
    settings = load_settings([write(MINIMAL.replace('"localhost:9092"', f'"k:9092", {sasl}'))], {})
    shown = yaml.safe_dump(effective(settings))
    assert SECRET not in shown + repr(settings) + str(settings) + json.dumps(effective(settings))
    assert "**********" in shown
    assert load_settings([write(shown, "again.yaml")], {}).kafka.sasl is not None


@given(name=st.text(max_size=12), value=st.text(max_size=12).filter(lambda text: "\0" not in text))
def test_any_variable_is_understood_or_named(name: str, value: str) -> None:
    """Whatever stands in the environment, the answer is a list of problems and nothing else."""
    with pytest.raises(ConfigurationWrong) as caught:
        load_settings([], {f"CONNECTOR_{name}": value})
    assert caught.value.exit_code == 2


@given(text=st.text(max_size=60))
def test_any_file_is_understood_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever stands in a file, the answer is a list of problems and nothing else."""
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(ConfigurationWrong):
        load_settings([path], {})


def test_settings_import_stays_small() -> None:
    """Settings load without the heavier pydantic-settings, which would cost 4 MB in every process."""
    code = "import sys, connector.settings; print('pydantic_settings' in sys.modules)"
    done = subprocess.run(  # noqa: S603  our own interpreter and our own words
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "False"
