"""The command `sandbox`: the ERP alone, and a real Kafka beside it if wanted, with what one needs to know to use them.

Must not know how the command line spells its arguments.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from connector.errors import ConfigurationWrong
from connector.sandbox.apache import ApacheKafka
from connector.sandbox.faults import Fault, parse_fault
from connector.sandbox.notifications import ContentMeaning
from connector.sandbox.serve import SandboxOptions, Served, serve_forever

_PAGE = """\
sandbox ERP     {base_url}
console         {base_url}/docs
token           {token}   (without write permission: {read_only_token})
business        {rate:g} changes a second, {backlog:,} notifications waiting{faults}
Kafka           {kafka}

connector.yaml to paste:

app: sandbox-try
kafka:
  bootstrap_servers: {servers}
  create_topics: {{partitions: 4, replication_factor: 1, min_insync_replicas: 1}}
sites:
  sandbox:
    kind: cienapps
    base_url: {base_url}
    token: {token}
    poll_interval_seconds: 1

Ctrl-C stops it."""


def options(  # noqa: PLR0913  one argument per option
    *,
    port: int,
    rate: float,
    backlog: int,
    seed: int,
    content: ContentMeaning,
    token: str | None,
    list_limit: int | None,
    faults: Sequence[str],
) -> SandboxOptions:
    """The options as a command line gives them.

    Args:
        port: 0 for any free one.
        rate: business changes per second.
        backlog: notifications that are pending at the start.
        seed: the same seed tells the same story.
        content: what a list shows.
        token: the API key, the published one unless given.
        list_limit: the most notifications one list shows.
        faults: as `parse_fault` understands them.

    Raises:
        ConfigurationWrong: with every fault that is not spelled as it should be.
    """
    problems: list[str] = []
    on: list[Fault] = []
    for text in faults:
        try:
            on.append(parse_fault(text))
        except ConfigurationWrong as wrong:
            problems += wrong.problems
    if problems:
        raise ConfigurationWrong(problems)
    return SandboxOptions(
        port=port,
        rate=rate,
        backlog=backlog,
        seed=seed,
        content=content,
        token=token or SandboxOptions().token,
        list_limit=list_limit,
        faults=tuple(on),
    )


def serve(options: SandboxOptions, *, with_kafka: bool) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        options: what is served and how.
        with_kafka: whether a real Kafka runs beside it.

    Raises:
        ConfigurationWrong: the options cannot be used.
        EnvironmentUnusable: the port is taken, or there is no Kafka to be had.
    """
    # A Ctrl-C while Kafka is starting ends this as well as a later one does.
    with suppress(KeyboardInterrupt), ExitStack() as running:
        servers = running.enter_context(ApacheKafka()).bootstrap_servers if with_kafka else None
        serve_forever(options, lambda served: _announce(options, served, servers))


def _announce(options: SandboxOptions, served: Served, servers: str | None) -> None:
    faults = "".join(f", {fault.kind.value}" for fault in options.faults)
    page = _PAGE.format(
        base_url=served.base_url,
        token=options.token,
        read_only_token=options.read_only_token,
        rate=options.rate,
        backlog=options.backlog,
        faults=f"; faults on: {faults[2:]}" if faults else "",
        kafka=f"{servers} (Apache Kafka, gone when this stops)" if servers else "none (--kafka starts one)",
        servers=servers or "localhost:9092",
    )
    sys.stdout.write(page + "\n")
    sys.stdout.flush()
