"""Finds two feeds that would write to one topic.

Must not know more of the settings than where topic names stand; works on settings that are wrong elsewhere, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connector.settings.layers import Layers, Path

_DEAD_LETTER = ".dead-letter"


def duplicate_topics(layers: Layers) -> list[str]:
    """A problem for every topic name that is given and that something else uses."""
    app = layers.tree.get("app")
    taken: dict[str, str] = {f"{app}.control": "the control topic"} if isinstance(app, str) else {}
    problems = []
    for path, topic in _given(layers.tree):
        user = taken.get(topic) or _default_user(topic, layers.tree, path)
        if user is not None:
            problems.append(f"{layers.spell(path)}: is the topic of {user}, too: every feed needs its own")
        taken[topic] = ".".join(path)
    return problems


def _given(tree: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for site, settings in _mapping(tree.get("sites")).items():
        for group in ("topics", "dead_letter_topics"):
            for feed, topic in _mapping(_mapping(settings).get(group)).items():
                if isinstance(topic, str):
                    yield ("sites", site, group, feed), topic


def _default_user(topic: str, tree: Mapping[str, Any], path: Path) -> str | None:
    """The feed whose own, not renamed topic has this name."""
    site, dot, feed = topic.removesuffix(_DEAD_LETTER).partition(".")
    group = "dead_letter_topics" if topic.endswith(_DEAD_LETTER) else "topics"
    settings = _mapping(tree.get("sites")).get(site)
    if not dot or not isinstance(settings, dict) or path == ("sites", site, group, feed):
        return None
    feeds = settings.get("feeds")
    is_carried = feed in feeds if isinstance(feeds, list) else feeds is None
    return f"{site}.{feed}" if is_carried and feed not in _mapping(settings.get(group)) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
