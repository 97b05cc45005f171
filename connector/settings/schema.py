"""The settings as a whole.

Must not know where they are read from.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from connector.settings.kafka import Kafka
from connector.settings.site import Site
from connector.settings.values import AppName, Group, ReadableFolder, SiteName


class Server(Group):
    """Where /metrics, /livez, /readyz and /status answer."""

    host: Annotated[str, Field(min_length=1)] = Field(
        default="127.0.0.1", description="The address it listens on; `0.0.0.0` for every one."
    )
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        default=9108, description="The port; 0 takes any free one, which is logged."
    )


class Logs(Group):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe lines that are written."
    )
    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="`auto` is readable text on a terminal and JSON elsewhere."
    )


class Settings(Group):
    """Everything."""

    app: AppName = Field(
        description="Names transactional ids and groups; two deployments on one cluster must differ. Permanent."
    )
    kafka: Kafka = Field(description="The Kafka cluster.")
    sites: dict[SiteName, Site] = Field(
        min_length=1, description="The ERP installations, by name. A name is permanent: it is in the topic names."
    )
    value_encoding: Literal["single_object", "confluent"] = Field(
        default="single_object", description="How a record's value is framed; `confluent` is not in this release."
    )
    schema_dirs: tuple[ReadableFolder, ...] = Field(
        default=(), description="Folders with schemas of one's own, beside those that the program brings."
    )
    server: Server = Field(default=Server(), description="The operators' HTTP endpoint.")
    logs: Logs = Field(default=Logs(), description="The log.")
    stop_seconds: Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)] = Field(
        default=25.0, description="How long stopping may take, in seconds; the platform's own limit must be above it."
    )

    @field_validator("value_encoding")
    @classmethod
    def _is_released(cls, value: str) -> str:
        if value == "confluent":
            msg = "confluent is not in this release: say single_object"
            raise ValueError(msg)
        return value

    def topic(self, site: str, feed: str) -> str:
        """The topic of a feed."""
        return self.sites[site].topics.get(feed, f"{site}.{feed}")

    def dead_letter_topic(self, site: str, feed: str) -> str:
        """The dead-letter topic of a feed."""
        return self.sites[site].dead_letter_topics.get(feed, f"{site}.{feed}.dead-letter")

    @property
    def control_topic(self) -> str:
        """The topic on which replicas agree who runs which feed."""
        return f"{self.app}.control"
