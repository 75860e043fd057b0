"""What a giver says to whoever receives a share."""

import re

from apps.sharing import errors

LIMIT = 500
"""Characters of a message: a paragraph, as in invitations."""

_UNFIT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Controls other than line breaks, and lone surrogates."""


def read(text: str) -> str:
    """Take a message: lines of text.

    :raises MessageUnfit: over 500 characters, or with controls other than line breaks in it.
    """
    message = text.replace("\r\n", "\n").strip()
    if len(message) > LIMIT or _UNFIT.search(message):
        raise errors.MessageUnfit(limit=LIMIT)
    return message
