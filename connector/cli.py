"""The command line: arguments into calls, results onto the terminal.

Must not know how anything is done.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from connector import __version__
from connector.errors import ConnectorError, Fatal
from connector.imports import without
from connector.settings import Settings, effective, load_settings

app = typer.Typer(
    name="cien-connector",
    help="Carries changes from the Cienapps and Cien ERP systems into Kafka, exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Config = Annotated[
    list[Path], typer.Option("--config", "-c", help="YAML file; more than one: later ones override key by key.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def run() -> None:
    """The whole program: every error becomes a line on stderr and an exit code."""
    try:
        app()
    except Fatal as error:
        _fail(error.message, error.exit_code)
    except ConnectorError as error:
        _fail(error.message, 1)


@app.callback(invoke_without_command=True)
def _root(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        _print(__version__)
        raise typer.Exit


@app.command(name="run")
def run_command(config: Config = []) -> None:  # noqa: B006  typer reads the default and never changes it
    """Carry every feed of the configuration until told to stop (SIGTERM or Ctrl-C)."""
    with without("rich", "httpx._main"):
        from connector.app import App  # noqa: PLC0415  only this command needs Kafka and HTTP

    settings = _settings(config)

    async def carry() -> None:
        await App(settings).run()

    # What start-up made stays: without this, each full collection would walk it again.
    gc.freeze()
    asyncio.run(carry())


@app.command(name="config")
def config_command(config: Config = [], *, as_json: AsJson = False) -> None:  # noqa: B006  as above
    """Check the configuration and print it as it takes effect, secrets masked."""
    import yaml  # noqa: PLC0415

    shown = effective(_settings(config))
    _print(json.dumps(shown, indent=2) if as_json else yaml.safe_dump(shown, sort_keys=False, allow_unicode=True))


@app.command()
def peek(
    config: Config = [],  # noqa: B006  as above
    *,
    records: Annotated[int, typer.Option(min=0, help="Print so many decoded records of each feed, too.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Look without taking: what each feed offers and how it would be published. No Kafka, no confirm."""
    from connector import peek as looking  # noqa: PLC0415
    from connector.composition import plan_feeds  # noqa: PLC0415
    from connector.tables import show_peek  # noqa: PLC0415

    settings = _settings(config)
    seen = asyncio.run(looking.peek(settings, plan_feeds(settings), records))
    show_peek(seen, as_json=as_json)
    if any(one.problem or one.bad for one in seen):
        raise typer.Exit(1)


@app.command()
def schemas(
    schema_dirs: Annotated[
        list[Path], typer.Option("--schema-dir", help="A folder with schemas of your own; may be repeated.")
    ] = [],  # noqa: B006  as above
    *,
    as_json: AsJson = False,
) -> None:
    """List the schemas, one for each feed, with their fingerprints."""
    from connector.encoding.schemas import load_schemas, schema_rows  # noqa: PLC0415
    from connector.tables import show_schemas  # noqa: PLC0415

    show_schemas(schema_rows(load_schemas(schema_dirs)), as_json=as_json)


@app.command()
def topics(  # noqa: PLR0913  one argument per option
    config: Config = [],  # noqa: B006  as above
    *,
    create: Annotated[bool, typer.Option("--create", help="Make the missing ones.")] = False,
    partitions: Annotated[
        int | None, typer.Option(min=1, help="Of each new topic, where the file does not say.")
    ] = None,
    replication_factor: Annotated[int, typer.Option(min=1)] = 3,
    min_insync_replicas: Annotated[int, typer.Option(min=1)] = 2,
    as_json: AsJson = False,
) -> None:
    """List the topics that the configuration needs, and which of them are missing."""
    from connector.composition import kafka_connection, plan_feeds, topic_plan  # noqa: PLC0415
    from connector.kafka.topics import TopicPlan, check_topics  # noqa: PLC0415
    from connector.tables import show_topics  # noqa: PLC0415

    settings = _settings(config)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it would say is in our own message
    plan = topic_plan(settings)
    if partitions is not None:
        plan = TopicPlan(partitions, replication_factor, min_insync_replicas)
    if create and plan is None:
        _fail("--create needs --partitions, or kafka.create_topics in the configuration", 2)
    feeds = [one.feed for one in plan_feeds(settings)]
    report = asyncio.run(check_topics(kafka_connection(settings), feeds, plan if create else None))
    show_topics(report, as_json=as_json)
    if report.missing:
        raise typer.Exit(3)


@app.command()
def sandbox(  # noqa: PLR0913  one argument per option
    *,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any free one.")] = 8780,
    rate: Annotated[float, typer.Option(min=0, help="Business changes per second.")] = 1.0,
    backlog: Annotated[int, typer.Option(min=0, help="Notifications that are pending at the start.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 1,
    content: Annotated[
        Literal["at_change", "present"], typer.Option(help="What a list shows: the record then, or as it is now.")
    ] = "at_change",
    token: Annotated[str | None, typer.Option(help="The API key; sandbox-token unless said.")] = None,
    list_limit: Annotated[int | None, typer.Option(min=1, help="The most notifications one list shows.")] = None,
    fault: Annotated[list[str], typer.Option(help="KIND[:NAME=VALUE,...], see docs/sandbox.md; may be repeated.")] = [],  # noqa: B006  as above
    kafka: Annotated[bool, typer.Option("--kafka", help="Start a real Apache Kafka, too.")] = False,
) -> None:
    """Serve an imitation of the Cienapps API on this machine, with invented data, to build against."""
    _need_extra("sandbox")
    from connector.sandbox import standalone  # noqa: PLC0415  of the extra

    standalone.serve(
        standalone.options(
            port=port,
            rate=rate,
            backlog=backlog,
            seed=seed,
            content=content,
            token=token,
            list_limit=list_limit,
            faults=fault,
        ),
        with_kafka=kafka,
    )


@app.command()
def demo(  # noqa: PLR0913  one argument per option
    *,
    seconds: Annotated[
        float | None, typer.Option("--for", help="Seconds; without it until Ctrl-C on a terminal, else 30.")
    ] = None,
    rate: Annotated[float, typer.Option(help="Business changes per second.")] = 5.0,
    backlog: Annotated[int, typer.Option(help="Notifications that are pending at the start.")] = 20,
    kafka: Annotated[
        str, typer.Option(help="embedded (simulated), apache (started for it), or HOST:PORT.")
    ] = "embedded",
    allow_remote: Annotated[bool, typer.Option("--allow-remote", help="HOST may be another machine.")] = False,
    kill: Annotated[bool, typer.Option("--kill", help="kill -9 the connector on the way, twice.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The last line of standard output is one object.")] = False,
) -> None:
    """Watch changes leave a sandbox ERP, arrive in Kafka and be confirmed. Needs no Docker and no Java."""
    _need_extra("demo")
    from connector.sandbox import demo as showing  # noqa: PLC0415  of the extra
    from connector.sandbox.demo_options import DemoOptions  # noqa: PLC0415  of the extra

    if seconds is None and (as_json or not sys.stdout.isatty()):
        seconds = 30.0
    options = DemoOptions(seconds, rate, backlog, kafka, allow_remote, kill, as_json)
    if code := showing.run(options):
        raise typer.Exit(code)


def _need_extra(command: str) -> None:
    """Leave with one line when what the extra `sandbox` brings is not installed; imports none of it."""
    try:
        is_there = all(find_spec(name) for name in ("fastapi", "confluent_kafka"))
    except ImportError:
        is_there = False
    if not is_there:
        _fail(f"`{command}` needs the extra: pip install 'cien-connector[sandbox]'", 2)


def _settings(config: list[Path]) -> Settings:
    return load_settings(config, os.environ)


def _print(text: str) -> None:
    sys.stdout.write(text.rstrip("\n") + "\n")


def _fail(message: str, exit_code: int) -> NoReturn:
    for line in message.split("\n"):
        sys.stderr.write(f"error: {line}\n")
    sys.exit(exit_code)
