"""Cuts a JSON array that arrives in portions into its records' exact bytes and their SyncIDs, at the parser's speed.

Must not know where the bytes come from or where the records go.

A place that looks like the end of a record (`} , {`) is one if and only if the text from a known boundary up to it,
put between brackets, parses: JSON is read from left to right, so the parser could not have understood the same bytes
otherwise. Where guessing fails (objects nested in arrays, brackets in strings), the brackets are counted.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Final, NamedTuple

from connector.erp.parsing import Malformed, Records, records_of, sync_ids_of
from connector.errors import Blocked, Retriable

PIECE_BYTES: Final = 128 * 1024
"""A buffer is cut when it holds so much: few calls per record, and it stays within the processor's cache."""
RECORD_LIMIT_BYTES: Final = 64 * 1024 * 1024
_GUESSES: Final = 2
_GUESS_WINDOW_BYTES: Final = 32 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_WHITESPACE: Final = b" \t\n\r"
_ASCII_END: Final = 0x80

_BOUNDARY = re.compile(rb"\}[ \t\n\r]*+(,)[ \t\n\r]*+\{")
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{}]', re.DOTALL)


class Piece(NamedTuple):
    """Some consecutive records of a list."""

    records: Records
    sync_ids: list[int]
    """In the same order; NO_SYNC_ID where a record has none that is a JSON integer from 0 to 2^63 - 1."""


class Splitter:
    """Takes a list's bytes as they arrive and gives its records, in pieces.

    Args:
        where: what is being received, for messages.
        piece_bytes: how much is collected before it is cut.
        record_limit_bytes: a single record longer than this is refused.
    """

    def __init__(
        self, where: str, *, piece_bytes: int = PIECE_BYTES, record_limit_bytes: int = RECORD_LIMIT_BYTES
    ) -> None:
        self._where = where
        self._piece_bytes = piece_bytes
        self._record_limit_bytes = record_limit_bytes
        self._buffer = bytearray()
        self._enough = 0
        self._cut_bytes = 0
        self._is_past_bom = False
        self._is_open = False
        self.shows_record = False
        """Whether the list has begun and its first record has, too."""

    def feed(self, data: bytes) -> Piece | None:
        """Take the next bytes; returns the complete records known so far when there are enough of them.

        Raises:
            Blocked: login_page, not_json_array, not_utf8, or record_too_large.
        """
        self._buffer += data
        if not self.shows_record:
            self._open()
        if not self._enough or len(self._buffer) < self._enough:
            return None
        cut = self._cut()
        if cut is None:
            self._grow()
            return None
        piece = self._piece(cut.text, cut.records)
        self._cut_bytes += cut.comma
        del self._buffer[: cut.comma]
        # Twice what is left over, so that nothing is looked at more than a few times however long a record is.
        self._enough = len(self._buffer) + max(self._piece_bytes, len(self._buffer))
        return piece

    def finish(self) -> Piece:
        """Nothing more comes: returns the last records.

        Raises:
            Retriable: truncated; nothing of this list counts.
            Blocked: as in `feed`.
        """
        if not self._is_open:
            raise self._truncated("before its list began")
        text = self._text(len(self._buffer), closing=b"")
        try:
            records = records_of(text)
        except Malformed as error:
            if error.is_truncation:
                raise self._truncated("in the middle of its list") from error
            raise self._not_a_list("is not valid JSON") from error
        return self._piece(text, records)

    def _open(self) -> None:
        """Look at how the list begins, as far as it is known."""
        buffer = self._buffer
        if not self._is_past_bom:
            if len(buffer) < len(_BOM) and _BOM.startswith(buffer):
                return
            self._buffer = buffer = buffer.removeprefix(_BOM)
            self._is_past_bom = True
        if not self._is_open:
            self._buffer = buffer = buffer.lstrip(_WHITESPACE)
            if not buffer:
                return
            self._refuse_other_than_array(buffer[0])
            self._is_open = True
        del buffer[1 : len(buffer) - len(buffer[1:].lstrip(_WHITESPACE))]
        if len(buffer) > 1 and buffer[1] not in b"{]":
            raise self._not_a_list("holds an element that is no object")
        if buffer[1:2] == b"{":
            self.shows_record = True
            self._enough = self._piece_bytes

    def _refuse_other_than_array(self, first: int) -> None:
        if first == ord("<"):
            raise login_page(self._where)
        if first >= _ASCII_END:
            raise self._not_utf8(0)
        if first != ord("["):
            raise self._not_a_list("does not begin with [")

    def _cut(self) -> _Cut | None:
        """The complete records in the buffer, as many as can be found."""
        tail = max(1, len(self._buffer) - _GUESS_WINDOW_BYTES)
        guesses = deque(_BOUNDARY.finditer(self._buffer, tail), _GUESSES)
        while guesses:
            guess = guesses.pop()
            text = self._text(guess.start() + 1)
            try:
                return _Cut(text, records_of(text), guess.start(1))
            except Malformed:
                continue  # it stands in a string or deeper in
        boundary = _last_boundary(self._buffer)
        if boundary is None:
            return None
        text = self._text(boundary.start() + 1)
        try:
            return _Cut(text, records_of(text), boundary.start(1))
        except Malformed as error:
            raise self._not_a_list("is not valid JSON") from error

    def _grow(self) -> None:
        """No record has ended yet: refuse what can never be a list, otherwise wait for twice as much."""
        try:
            records_of(self._text(len(self._buffer), closing=b""))
        except Malformed as error:
            if not error.is_truncation:
                raise self._not_a_list("is not valid JSON") from error
        if len(self._buffer) >= self._record_limit_bytes:
            message = f"{self._where} sent a record longer than {self._record_limit_bytes} bytes: shorten it in the ERP"
            raise Blocked("record_too_large", message)
        self._enough = min(2 * len(self._buffer), self._record_limit_bytes)

    def _text(self, end: int, closing: bytes = b"]") -> bytes:
        """The buffer from its first byte, a bracket or a comma, up to `end`, as an array."""
        return b"".join((b"[", memoryview(self._buffer)[1:end], closing))

    def _piece(self, text: bytes, records: Records) -> Piece:
        if not text.isascii():
            try:
                text.decode()
            except UnicodeDecodeError as error:
                raise self._not_utf8(self._cut_bytes + error.start) from error
        try:
            return Piece(records, sync_ids_of(text, records))
        except TypeError as error:
            raise self._not_a_list("holds an element that is no object") from error

    def _truncated(self, when: str) -> Retriable:
        return Retriable("truncated", f"{self._where} ended {when}: nothing of it counts, it is pulled again")

    def _not_a_list(self, what: str) -> Blocked:
        message = (
            f"{self._where} sent an answer that {what}, where a JSON array of records belongs:"
            " check base_url and the ERP's version"
        )
        return Blocked("not_json_array", message)

    def _not_utf8(self, position: int) -> Blocked:
        message = f"{self._where} sent text that is not UTF-8 (byte {position} of the list): the ERP must send UTF-8"
        return Blocked("not_utf8", message)


class _Cut(NamedTuple):
    text: bytes
    records: Records
    comma: int
    """Where the comma behind the last record stands in the buffer."""


def login_page(where: str) -> Blocked:
    """The error for an answer that is a web page."""
    message = (
        f"{where} answered with an HTML page, a login page perhaps:"
        " check that base_url is the address of the API, and that no proxy stands between"
    )
    return Blocked("login_page", message)


def _last_boundary(buffer: bytearray) -> re.Match[bytes] | None:
    """The last place where an object ends at the array's own level with another behind it, by counting brackets."""
    depth = 1
    found = None
    for token in _TOKEN.finditer(buffer, 1):
        start = token.start()
        byte = buffer[start]
        if byte in b"{[":
            depth += 1
        elif byte in b"}]":
            depth -= 1
            if depth == 1:
                found = _BOUNDARY.match(buffer, start) or found
        elif token.end() == start + 1:
            break  # a string whose end has not arrived
    return found
