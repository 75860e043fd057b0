"""What a giver says to whoever receives a share."""

import unicodedata

from apps.sharing import errors

LIMIT = 500
"""Characters of a message: a paragraph, as in invitations."""


def read(text: str) -> str:
    """Take a message: lines of text, in NFC.

    :raises MessageUnfit: over 500 characters, or with controls other than line breaks in it.
    """
    message = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    kinds = {unicodedata.category(character) for character in message if character != "\n"}
    if len(message) > LIMIT or kinds & {"Cc", "Cs"}:
        raise errors.MessageUnfit(limit=LIMIT)
    return message
