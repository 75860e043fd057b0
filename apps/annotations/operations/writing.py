"""What people write: lines without controls."""

import unicodedata


def read_text(text: str, *, limit: int) -> str | None:
    """Read a text of several lines; ``None`` where it is empty, longer than so many characters, or holds control characters."""
    text = text.replace("\r\n", "\n").strip()
    fits = all(letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs") for letter in text)
    return text if text and len(text) <= limit and fits else None
