"""Writes the log: JSON in production, readable lines on a terminal, redacted in both.

Must not know what is worth a line. Every logger of the process comes out here, those of the libraries included.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from connector.ops.exceptions import as_text, told
from connector.ops.redaction import Redaction

# httpx writes full URLs at INFO, aiokafka writes metadata at every turn.
_QUIET = ("httpx", "httpcore", "aiokafka", "kafka", "uvicorn", "asyncio")
_QUOTING = ("asyncio", "py.warnings")  # their lines show other people's exceptions and objects
_REPEAT_SECONDS = 60.0
_REMEMBERED = 200


def configure_logs(level: str, log_format: str, *, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send every logger's lines to a stream, and what nobody caught, too.

    Args:
        level: debug, info, warning or error.
        log_format: json, console, or auto (console on a terminal).
        secrets: texts that no line may hold, such as the tokens in use.
        stream: where to, standard error unless said.
    """
    stream = sys.stderr if stream is None else stream
    is_console = log_format == "console" or (log_format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(Redaction(secrets), is_console=is_console, is_coloured=stream.isatty()))
    handler.addFilter(RepeatLimit(time.monotonic))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    # A line that cannot be made would be shown with its arguments, unredacted.
    logging.raiseExceptions = False
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_stamps(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose lines are written as configured when they are written, not when it is made."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def log_uncaught_in_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a task left uncaught, as one line; for `loop.set_exception_handler`."""
    error = context.get("exception")
    _uncaught(error, where=str(context.get("message", "event loop")))


class RepeatLimit(logging.Filter):
    """Lets a library say the same thing once a minute: a broker that is down makes aiokafka say it all the time.

    Args:
        monotonic: seconds that never go back.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written; the one that ends a silence says how many were not."""
        if record.name.partition(".")[0] not in _QUIET:
            return True
        key = (record.name, record.levelno, str(record.msg))
        now = self._monotonic()
        since, suppressed = self._seen.get(key, (-_REPEAT_SECONDS, 0))
        if now - since < _REPEAT_SECONDS:
            self._seen[key] = (since, suppressed + 1)
            return False
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[key] = (now, 0)
        if suppressed:
            record.suppressed = suppressed
        return True


def _stamps() -> list[Processor]:
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(redaction: Redaction, *, is_console: bool, is_coloured: bool) -> structlog.stdlib.ProcessorFormatter:
    renderer: Processor
    if is_console:
        renderer = structlog.dev.ConsoleRenderer(
            colors=is_coloured, exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        )
    else:
        renderer = structlog.processors.JSONRenderer(serializer=json.dumps)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_stamps(), structlog.stdlib.ExtraAdder(["suppressed"])],
        processors=[_Clean(redaction, is_console=is_console), renderer],
    )


class _Clean:
    """The last step before a line is rendered: tells the exception, and redacts all there is."""

    def __init__(self, redaction: Redaction, *, is_console: bool) -> None:
        self._redaction = redaction
        self._is_console = is_console

    def __call__(self, _logger: Any, _method: str, fields: MutableMapping[str, Any]) -> EventDict:
        fields.pop("_from_structlog", None)
        record = fields.pop("_record", None)
        # Invariant 7: this is the last place that a line passes.
        is_quoting = str(fields.get("logger")).startswith(_QUOTING)
        error = _error_of(fields.pop("exc_info", None), record)
        for unwanted in ("stack", "stack_info", "exception"):
            fields.pop(unwanted, None)
        event = self._redaction.text(str(fields.pop("event", "")), is_foreign=is_quoting)
        line = {"event": event, **self._redaction.line(fields)}
        if error is not None:
            story = told(error, self._redaction)
            line["exception"] = as_text(story) if self._is_console else story
        return line


def _error_of(exc_info: Any, record: logging.LogRecord | None) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    if exc_info:
        return sys.exc_info()[1]
    return record.exc_info[1] if record is not None and record.exc_info else None


def _uncaught(error: BaseException | None, where: str) -> None:
    log = structlog.stdlib.get_logger("connector")
    log.critical("unhandled exception", where=where, exc_info=error)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    _uncaught(error, where="main thread")


def _log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if not issubclass(arguments.exc_type, SystemExit):
        _uncaught(arguments.exc_value, where=arguments.thread.name if arguments.thread is not None else "thread")
