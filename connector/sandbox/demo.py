"""The demo: starts a Kafka, the connector and a consumer, side by side because importing takes longest.

Must not know what they do together: that is the stage's.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.model import Feed, Point
from connector.sandbox.demo_brokers import opened
from connector.sandbox.demo_children import Connector, Consumer
from connector.sandbox.demo_options import DemoOptions
from connector.sandbox.demo_screen import Screen

_KIND = "cienapps"
_FEEDS = ("order", "quotation", "workorder")
_DEATHS = (Point.BEFORE_COMMIT, Point.AFTER_COMMIT)


def run(options: DemoOptions) -> int:
    """Run the demo to its end.

    Returns:
        the exit code: 0 when every notification was published once and confirmed, otherwise 1.

    Raises:
        ConfigurationWrong: the options cannot be used.
        EnvironmentUnusable: there is no such Kafka.
        Fatal: the connector or the consumer ended.
    """
    began = time.monotonic()
    options.check()
    screen = Screen(as_json=options.as_json)
    name = f"demo{secrets.token_hex(3)}"
    feeds = [Feed(name, name, feed, _KIND, f"{name}.{feed}", f"{name}.{feed}.dead-letter") for feed in _FEEDS]
    with ExitStack() as running:
        folder = Path(running.enter_context(TemporaryDirectory(prefix="cien-demo-", ignore_cleanup_errors=True)))
        is_real = not options.is_simulated
        deaths = _DEATHS if options.kill else ()
        connector = running.enter_context(Connector(folder, check_crcs=is_real, deaths=deaths))
        # Before anything else: it imports its parts while this process imports the sandbox's and starts Kafka.
        connector.start()
        servers = running.enter_context(opened(options, feeds, screen.say))
        topics = [feed.topic for feed in feeds]
        consumer = running.enter_context(Consumer(folder, servers, topics, check_crcs=is_real))
        from connector.sandbox.demo_stage import Stage  # noqa: PLC0415  takes as long as the children's imports

        stage = Stage(options, feeds, servers, connector, consumer, screen, began)
        return asyncio.run(stage.run())
