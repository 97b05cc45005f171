"""Who is told that the ERP sends what no schema foresees.

Must not know what is done about it.
"""

from __future__ import annotations

from typing import Protocol


class DriftObserver(Protocol):
    """Called while encoding, once per occurrence; cheap, never raises, and nothing is read back from it."""

    def unknown_field(self, name: str) -> None:
        """A notification has a field its schema does not name; the name is the ERP's, whatever it may be."""

    def unparseable_value(self, field: str) -> None:
        """A value of this field of the schema did not fit it and went to unparsed_values as raw text."""
