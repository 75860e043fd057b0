"""What a caller says of the state that it wants to change: the revision that it has read."""

from typing import Literal

ExpectedRevision = int | tuple[int, ...] | Literal["any"] | None
"""The revision that the caller has read or several that it accepts, ``any`` when it does not care, ``None`` when it did not say."""


def is_expected(revision: int, expected: ExpectedRevision) -> bool:
    """Tell whether a caller is ready to change this revision."""
    return expected == "any" or revision in (expected if isinstance(expected, tuple) else (expected,))
