"""Keeps out of a long-running process what its libraries would load for purposes it does not have.

Must not know who imports what.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """Within the block, importing one of these modules fails as if it were not installed, unless it is loaded already.

    httpx loads a command line and structlog loads rich where they find them: 4 MB and a tenth of a second. A module
    that `sys.modules` holds as None cannot be imported (Python language reference, "The module cache").
    """
    cache = cast("dict[str, object]", sys.modules)
    hidden = [module for module in modules if module not in cache]
    cache.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for module in hidden:
            del cache[module]
