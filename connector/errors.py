r"""Every error of the program, named by what the delivery loop does next.

    ConnectorError
    ├── Retriable             back off (Retry-After honoured), pull again; the session stays
    ├── SessionLost           throw producer and consumer away, back off, fence and scan anew
    │   └── Fenced            another instance runs this feed: wait at least a heartbeat before fencing again
    ├── Blocked               the feed waits for a person: shown in a gauge and in /status, retried slowly, others go on
    │   └── BadNotification   one notification cannot be delivered: nothing after it is, so that nothing is dropped
    └── Fatal                 leave the process with `exit_code`
        ├── ConfigurationWrong    2: every problem at once, in the user's spelling
        └── EnvironmentUnusable   3: a topic or a permission is missing at first contact

A message says what, where and what to do; it never holds a payload value, a token, or a URL's query string.
Foreign exceptions are mapped once, at the boundary of the room that faces them, with `raise ... from`.
"""

from __future__ import annotations


class ConnectorError(Exception):
    """The root of the tree above.

    Args:
        reason: a short snake_case word out of a bounded set, fit for a metric's label.
        message: one sentence or two for the operator: what, where, what to do.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def message(self) -> str:
        """The sentence for the operator."""
        return str(self.args[0])


class Retriable(ConnectorError):
    """The ERP did not answer as it should, and may the next time.

    Args:
        reason: see ConnectorError.
        message: see ConnectorError.
        retry_after_seconds: how long the ERP asked us to wait, None when it did not say.
    """

    def __init__(self, reason: str, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason, message)
        self.retry_after_seconds = retry_after_seconds


class SessionLost(ConnectorError):
    """Kafka answered with anything but a full acknowledgement: what this session knows is no longer to be trusted."""


class Fenced(SessionLost):
    """A newer producer took this feed's transactional id."""


class Blocked(ConnectorError):
    """Waiting alone will not mend it: a person has to."""


class BadNotification(Blocked):
    """A notification cannot be made into a record.

    Args:
        reason: see ConnectorError.
        message: see ConnectorError.
        sync_id: its SyncID, None when it has no usable one.
    """

    def __init__(self, reason: str, message: str, *, sync_id: int | None) -> None:
        super().__init__(reason, message)
        self.sync_id = sync_id


class Fatal(ConnectorError):
    """The process has to leave."""

    exit_code = 1


class ConfigurationWrong(Fatal):
    """The settings cannot be used; the message lists all problems, one to a line."""

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        super().__init__("configuration", "\n".join(problems))
        self.problems = problems


class EnvironmentUnusable(Fatal):
    """Kafka lacks a topic or refuses a permission when it is first asked."""

    exit_code = 3
