"""Every setting: its unit, default and meaning; read from YAML files, with environment variables over them.

Must not know what the settings are used for: the parts get values, never the settings object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from connector.errors import ConfigurationWrong
from connector.settings.environment import overlay_environment
from connector.settings.kafka import CreateTopics, Kafka, Sasl
from connector.settings.layers import Layers
from connector.settings.problems import spelled
from connector.settings.schema import Settings
from connector.settings.site import Site, Tls
from connector.settings.topic_names import duplicate_topics
from connector.settings.yaml_files import overlay_file

__all__ = ["CreateTopics", "Kafka", "Sasl", "Settings", "Site", "Tls", "effective", "load_settings"]


def load_settings(config_paths: Sequence[Path], environ: Mapping[str, str]) -> Settings:
    """The settings out of the files, later ones over earlier ones key by key, and the environment over all of them.

    Args:
        config_paths: YAML files; none is allowed, when the environment says everything.
        environ: the process's environment; only names that begin with CONNECTOR_ count.

    Raises:
        ConfigurationWrong: with every problem at once, in the user's spelling and without the value of any secret.
    """
    layers = Layers()
    for path in config_paths:
        overlay_file(layers, path)
    overlay_environment(layers, environ, Settings)
    settings = None
    try:
        settings = Settings.model_validate(layers.tree)
    except ValidationError as error:
        # What the validation says of a file that could not be read would only be the list of all settings.
        if not layers.is_incomplete:
            layers.problems += spelled(error, layers, Settings)
    layers.problems += duplicate_topics(layers)
    if settings is None or layers.problems:
        raise ConfigurationWrong(layers.problems) from None
    return settings


def effective(settings: Settings) -> dict[str, Any]:
    """The settings as plain values in the files' own shape, defaults included and secrets masked."""
    return settings.model_dump(mode="json")
