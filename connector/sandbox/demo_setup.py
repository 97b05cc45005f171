"""The demo's set-up in words: the connector's configuration, and what runs where.

Must not know when any of it starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.model import Feed
from connector.sandbox.demo_options import DemoOptions
from connector.sandbox.demo_screen import Place
from connector.sandbox.serve import SandboxOptions

_POLL_INTERVAL_SECONDS = 0.2
_ENGINES = {
    "embedded": "simulated: shows the flow, proves nothing about exactly once",
    "apache": "Apache Kafka, started for this demo",
    "given": "yours; the demo's own topics are deleted at the end",
}


def configuration(feeds: Sequence[Feed], base_url: str, bootstrap_servers: str) -> dict[str, Any]:
    """A connector.yaml as users write it."""
    site = {
        "kind": feeds[0].kind,
        "base_url": base_url,
        "token": SandboxOptions().token,
        "poll_interval_seconds": _POLL_INTERVAL_SECONDS,
        "feeds": [feed.name for feed in feeds],
    }
    return {
        "app": feeds[0].app,
        "kafka": {"bootstrap_servers": bootstrap_servers},
        "sites": {feeds[0].site: site},
        "server": {"port": 0},
        "logs": {"format": "json"},
    }


def places(options: DemoOptions, feeds: Sequence[Feed], base_url: str, servers: str, status_url: str) -> list[Place]:
    """What runs where."""
    business = f"sandbox: {options.rate:g} changes a second, {options.backlog:,} waiting at the start"
    lasts = "until Ctrl-C" if options.seconds is None else f"{options.seconds:g} s, Ctrl-C ends it earlier"
    return [
        Place("ERP", f"{base_url}/docs", business),
        Place("connector", status_url, f"pulls every {_POLL_INTERVAL_SECONDS:g} s, confirms after ack"),
        Place("Kafka", servers, _ENGINES[options.engine]),
        Place("consumer", f"topics {feeds[0].site}.*", "examples/consume.py, read_committed"),
        Place("lasts", lasts, ""),
    ]
