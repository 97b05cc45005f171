"""Takes out of every log line what must not leave the process: credentials, query strings, what records hold.

Must not know who logs. It errs on the side of showing less: a line that lost a word is better than a customer's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

REDACTED = "[redacted]"
_LONGEST_TEXT = 1_000
_DEEPEST = 4

_SECRET_KEY = re.compile(r"authori[sz]ation|cookie|token|api_?-?key|secret|passw|credential", re.IGNORECASE)
_PAYLOAD_KEY = re.compile(
    r"(.*_)?(payload|body|raw|records?|notifications?|values?|content|data|json|text|headers|params|query|args|customer"
    r"(_.*)?)",
    re.IGNORECASE,
)
# In this order: the wide ones come last, so that what they leave is already clean.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(\w+://)[^\s/?#'\"]*@"), r"\1"),
    (re.compile(r"(\w+://[^\s?#'\"<>]*|/[\w./%~-]*)[?#][^\s'\"<>]+"), rf"\1?{REDACTED}"),
    (
        re.compile(r"\b((?:proxy-)?authorization|(?:set-)?cookie)(['\"]?\s*[:=]).*", re.IGNORECASE | re.DOTALL),
        rf"\1\2 {REDACTED}",
    ),
    (
        re.compile(
            r"\b((?:\w*[_-])?(?:api_?-?token|token|api_?-?key|secret|passw(?:or)?d))(['\"]?\s*[:=]\s*)"
            r"(?:\"[^\"]*\"?|'[^']*'?|[^\s,;}\])]+)",
            re.IGNORECASE,
        ),
        rf"\1\2{REDACTED}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\bb'(?:[^'\\]|\\.)*'?|\bb\"(?:[^\"\\]|\\.)*\"?"), REDACTED),
    (re.compile(r"[\[{]\s*[\"'{].*", re.DOTALL), REDACTED),
    (re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+"), REDACTED),
    (re.compile(r"\(?\b\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b"), REDACTED),
    (re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+"), " "),
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?")


class Redaction:
    """Cleans the values of log lines.

    Args:
        secrets: texts that are taken out wherever they stand; very short ones are left to the other rules.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) > 3}, key=len, reverse=True)  # noqa: PLR2004
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def line(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of one line, cleaned."""
        return {str(key): self.value(str(key), value) for key, value in fields.items()}

    def value(self, key: str, value: Any, depth: int = 0) -> Any:
        """One field's value, cleaned; what is neither plain nor harmless is only named by its type."""
        is_number = value is None or isinstance(value, bool | int | float)
        if _SECRET_KEY.search(key) or (_PAYLOAD_KEY.fullmatch(key) and not is_number):
            return REDACTED
        if depth < _DEEPEST and isinstance(value, Mapping):
            return {self.text(str(inner)): self.value(str(inner), of, depth + 1) for inner, of in value.items()}
        if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
            return [self.value(key, inner, depth + 1) for inner in value]
        if isinstance(value, str | Path | Enum):
            return self.text(str(value))
        return value if is_number else f"<{type(value).__name__}>"

    def text(self, text: str, *, is_foreign: bool = False) -> str:
        """A text, cleaned.

        Args:
            text: what to clean.
            is_foreign: whether it is an exception's of somebody else, which may quote the value it stumbled over.
        """
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        if len(text) > _LONGEST_TEXT:
            text = f"{text[:_LONGEST_TEXT]}..."
        for pattern, instead in _RULES:
            text = pattern.sub(instead, text)
        if is_foreign:
            text = _QUOTED.sub(REDACTED, text)
        return text
