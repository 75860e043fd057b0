"""Addresses of the web in what people write."""

import re
from collections.abc import Iterator

_ADDRESS = re.compile(r"https?://[!-~]+", re.IGNORECASE)
"""An address as it is shown: printable ASCII alone, so that what is read is what is opened."""

_NOT_AT_ITS_END = ".,;:!?'\")]}>*"


def cut_addresses(text: str) -> Iterator[tuple[str, bool]]:
    """Cut a text where it has an address; each part with whether it is one. No part is empty."""
    at = 0
    for found in _ADDRESS.finditer(text):
        address = found.group().rstrip(_NOT_AT_ITS_END)
        if found.start() > at:
            yield text[at : found.start()], False
        yield address, True
        at = found.start() + len(address)
    if at < len(text):
        yield text[at:], False
