"""The settings of one site: one ERP installation.

Must not know how any HTTP client wants to be told them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from connector.settings.values import (
    FeedName,
    Group,
    ProxyUrl,
    ReadableFile,
    Token,
    TokenFile,
    TopicName,
    is_loopback,
    read_secret,
    split_http_url,
)


class Tls(Group):
    """How the ERP's server is known, and how we are."""

    ca_file: ReadableFile | None = Field(
        default=None, description="PEM certificates to trust beside the system's: the ERP's own authority."
    )
    ca_only: bool = Field(default=False, description="Trust `ca_file` alone, not the system's authorities.")
    server_name: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="The name that the certificate bears, when it is not the host of `base_url`."
    )
    relax_x509_strict: bool = Field(
        default=False, description="Accept certificates of old authorities that break RFC 5280 in form (Python 3.13)."
    )
    verify: bool = Field(
        default=True,
        description="`false` accepts any certificate: whoever stands in between reads everything. Warned of at each"
        " start, and shown in a metric.",
    )
    client_cert_file: ReadableFile | None = Field(default=None, description="PEM certificate that we show the ERP.")
    client_key_file: ReadableFile | None = Field(default=None, description="PEM key of `client_cert_file`.")

    @field_validator("ca_only")
    @classmethod
    def _has_ca(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001  pydantic calls it
        if value and info.data.get("ca_file", "unknown") is None:
            msg = "needs ca_file: nothing would be trusted"
            raise ValueError(msg)
        return value

    @field_validator("client_key_file")
    @classmethod
    def _is_pair(cls, value: ReadableFile | None, info: ValidationInfo) -> ReadableFile | None:
        if "client_cert_file" in info.data and (value is None) != (info.data["client_cert_file"] is None):
            msg = "client_cert_file and client_key_file belong together: give both or neither"
            raise ValueError(msg)
        return value


class Site(Group):
    """One ERP installation."""

    kind: Literal["cienapps"] = Field(description="Which ERP it is.")
    # Before base_url, whose check looks at it.
    allow_plain_http: bool = Field(
        default=False, description="Allow an `http://` base URL off this machine: token and data travel readable."
    )
    base_url: str = Field(description="Where the ERP answers, without `/api/sync`: `https://erp.example:8443`.")
    token: Token | None = Field(default=None, description="The API key; either this or `token_file`.")
    token_file: TokenFile | None = Field(default=None, description="A file that holds the API key.")
    poll_interval_seconds: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = Field(
        default=5.0, description="How often an idle feed is pulled, in seconds; fractions allowed."
    )
    feeds: tuple[FeedName, ...] | None = Field(
        default=None, description="Which feeds are carried; absent: all of the kind that have a schema."
    )
    confirm: Literal["after_ack", "never"] = Field(
        default="after_ack", description="`never` publishes once and leaves the ERP untouched."
    )
    tls: Tls = Field(default=Tls(), description="How the ERP's server is known.")
    proxy: ProxyUrl | None = Field(
        default=None,
        description="An HTTP proxy on the way to the ERP; proxy variables of the environment do not count.",
    )
    request_timeout_seconds: Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)] = Field(
        default=30.0, description="How long the ERP may be silent within one request, in seconds."
    )
    concurrent_lists: Annotated[int, Field(ge=1, le=100)] = Field(
        default=1, description="How many lists are asked for at a time."
    )
    stale_list_seconds: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = Field(
        default=900.0, description="How long after a confirm the ERP may still list a notification, in seconds."
    )
    topics: dict[FeedName, TopicName] = Field(
        default={}, description="Topic by feed, where it is not `<site>.<feed>`. Permanent, like the site's name."
    )
    dead_letter_topics: dict[FeedName, TopicName] = Field(
        default={}, description="Dead-letter topic by feed, where it is not `<site>.<feed>.dead-letter`."
    )

    @field_validator("base_url")
    @classmethod
    def _is_reachable_safely(cls, value: str, info: ValidationInfo) -> str:
        parts = split_http_url(value)
        is_plain = parts.scheme == "http" and not is_loopback(parts.hostname)
        if is_plain and not info.data.get("allow_plain_http", True):
            msg = "http:// lets anyone on the way read the API key: use https://, or set allow_plain_http: true"
            raise ValueError(msg)
        path = parts.path.rstrip("/")
        if path.endswith(("/api", "/api/sync")):
            msg = "must end before /api/sync, which is added"
            raise ValueError(msg)
        return value.rstrip("/")

    @field_validator("token_file")
    @classmethod
    def _exactly_one(cls, value: TokenFile | None, info: ValidationInfo) -> TokenFile | None:
        if "token" in info.data and (value is None) == (info.data["token"] is None):
            msg = "give exactly one of token and token_file"
            raise ValueError(msg)
        return value

    @field_validator("feeds")
    @classmethod
    def _once_each(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and not value:
            msg = "must not be empty: leave it out for all feeds"
            raise ValueError(msg)
        if value is not None and len(set(value)) < len(value):
            msg = "names a feed twice"
            raise ValueError(msg)
        return value

    @field_validator("topics", "dead_letter_topics")
    @classmethod
    def _are_carried(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        feeds = info.data.get("feeds")
        unknown = [] if feeds is None else sorted(set(value) - set(feeds))
        if unknown:
            msg = f"names a feed that feeds does not: {', '.join(unknown)}"
            raise ValueError(msg)
        return value

    def read_token(self) -> SecretStr:
        """The API key as it is now: a file is read anew.

        Raises:
            ValueError: the file cannot be read any more; without its content.
        """
        if self.token is not None:
            return self.token
        if self.token_file is None:  # pragma: no cover  # refused by the validator above
            msg = "neither token nor token_file is given"
            raise ValueError(msg)
        return read_secret(self.token_file)
