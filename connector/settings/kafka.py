"""The settings of the Kafka cluster.

Must not know how any client of Kafka wants to be told them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from connector.settings.values import Group, Password, ReadableFile, SecretFile, Servers, is_loopback, read_secret


class CreateTopics(Group):
    """How topics that are missing are made."""

    partitions: Annotated[int, Field(ge=1, le=10_000)] = Field(
        description="Partitions of each feed's topic. Permanent: changing it later moves orders to other partitions."
    )
    replication_factor: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3, description="Copies of each partition; a single broker needs 1."
    )
    min_insync_replicas: Annotated[int, Field(ge=1, le=100)] = Field(
        default=2, description="Copies that must have a record before it counts; at most `replication_factor`."
    )
    retention_days: Annotated[float, Field(gt=0)] = Field(
        default=14.0, description="How long records are kept, in days; under 7 a long outage can cost exactly-once."
    )

    @field_validator("min_insync_replicas")
    @classmethod
    def _fits(cls, value: int, info: ValidationInfo) -> int:
        if value > info.data.get("replication_factor", value):
            msg = "must not be above replication_factor: nothing could be written"
            raise ValueError(msg)
        return value


class Sasl(Group):
    """Who the connector is, for Kafka."""

    mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How the password is proved."
    )
    username: Annotated[str, Field(min_length=1)] = Field(description="The user's name.")
    password: Password | None = Field(default=None, description="The password; either this or `password_file`.")
    password_file: SecretFile | None = Field(default=None, description="A file that holds the password.")

    @field_validator("password_file")
    @classmethod
    def _exactly_one(cls, value: SecretFile | None, info: ValidationInfo) -> SecretFile | None:
        if "password" in info.data and (value is None) == (info.data["password"] is None):
            msg = "give exactly one of password and password_file"
            raise ValueError(msg)
        return value

    def read_password(self) -> SecretStr:
        """The password as it is now: a file is read anew.

        Raises:
            ValueError: the file cannot be read any more; without its content.
        """
        if self.password is not None:
            return self.password
        if self.password_file is None:  # pragma: no cover  # refused by the validator above
            msg = "neither password nor password_file is given"
            raise ValueError(msg)
        return read_secret(self.password_file)


class Kafka(Group):
    """The Kafka cluster."""

    bootstrap_servers: Servers = Field(description="Where the cluster is first asked: `host:port`, commas between.")
    create_topics: CreateTopics | None = Field(
        default=None, description="When given, missing topics are created; when absent, they must exist."
    )
    accept_partitions: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="A topic that came to have another number of partitions blocks its feed, since the order of changes"
        " would break; this number is accepted.",
    )
    compression: Literal["zstd", "lz4", "none"] = Field(
        default="zstd",
        description="How batches are compressed; consumers must read it (aiokafka with its extra of the same name).",
    )
    security_protocol: Literal["PLAINTEXT", "SASL_SSL", "SSL", "SASL_PLAINTEXT"] = Field(
        default="PLAINTEXT",
        description="How connections are protected; `SASL_PLAINTEXT` to brokers on this machine only.",
    )
    sasl: Sasl | None = Field(default=None, description="Needed when `security_protocol` begins with SASL.")
    ca_file: ReadableFile | None = Field(
        default=None, description="PEM certificates of the brokers' authority; absent: the system's."
    )
    transaction_timeout_seconds: Annotated[int, Field(ge=50, le=900)] = Field(
        default=60,
        description="When the broker ends a transaction that is left open, in seconds. Not below 50: a slice may take"
        " 45. The broker's transaction.max.timeout.ms (900 by default) is its limit.",
    )

    @field_validator("security_protocol")
    @classmethod
    def _is_protected(cls, value: str, info: ValidationInfo) -> str:
        if value == "SASL_PLAINTEXT" and not _all_loopback(info.data.get("bootstrap_servers")):
            msg = "SASL_PLAINTEXT is for brokers on this machine only: use SASL_SSL"
            raise ValueError(msg)
        return value

    @field_validator("sasl")
    @classmethod
    def _fits_protocol(cls, value: Sasl | None, info: ValidationInfo) -> Sasl | None:
        protocol = info.data.get("security_protocol")
        if protocol is None:
            return value
        if value is None and protocol.startswith("SASL"):
            msg = f"is needed with security_protocol {protocol}"
            raise ValueError(msg)
        if value is not None and not protocol.startswith("SASL"):
            msg = f"is not used with security_protocol {protocol}: say SASL_SSL"
            raise ValueError(msg)
        return value

    @field_validator("ca_file")
    @classmethod
    def _is_used(cls, value: ReadableFile | None, info: ValidationInfo) -> ReadableFile | None:
        protocol = info.data.get("security_protocol", "SSL")
        if value is not None and not protocol.endswith("SSL"):
            msg = f"is not used with security_protocol {protocol}: say SASL_SSL or SSL"
            raise ValueError(msg)
        return value


def _all_loopback(servers: str | None) -> bool:
    if servers is None:
        return True
    return all(is_loopback(server.rpartition(":")[0].strip("[]")) for server in servers.split(","))
