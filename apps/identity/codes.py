"""Codes that travel by mail: how one is made, and what is kept of it.

A code is computed from the id of its row and the installation's secret when its mail is written, so that it is stored nowhere and a mail
that is sent twice says the same. Kept is a keyed hash: eight characters are too few for one that anybody can compute.
"""

from uuid import UUID

from django.utils.crypto import salted_hmac

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: letters that are not taken for digits or one another, and 5 bits each."""

_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})

LENGTH_LIMIT = 64
"""Characters that are looked at of what somebody enters."""


def derive(code_id: UUID, *, length: int) -> str:
    """Compute the code of a row; ``length`` characters of 5 bits."""
    digest = salted_hmac("identity.email-code", code_id.hex, algorithm="sha256").digest()
    number = int.from_bytes(digest, "big")
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in range(length))


def hash_code(text: str) -> bytes:
    """Compute what is kept of a code, however somebody has typed it."""
    spelled = text[:LENGTH_LIMIT].upper().translate(_READ_AS)
    return salted_hmac("identity.email-code-hash", spelled.encode(errors="replace"), algorithm="sha256").digest()
