"""Sealing: secrets that must be read again are kept encrypted, with a key that is made of the installation's own (``BITVAULT_SECRET_KEY``).

While that is changed, keys before it (``BITVAULT_SECRET_KEY_FALLBACKS``) still open what they have sealed.

Who reads the database, or a backup of it, without the environment reads none of them. What is only compared is hashed instead.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from bitvault.kernel.errors import ProgrammingError


class PurposeUnknown(ProgrammingError):
    """Nobody has named a column of this purpose (``kernel.resealing``): it would be lost when the key is changed."""


class Unreadable(Exception):
    """What is kept was sealed with another key, or for another purpose, or was altered."""


def seal(text: str, *, purpose: str) -> str:
    """Encrypt a secret.

    :param purpose: what it is for; under another purpose it cannot be read.
    :raises PurposeUnknown: no column is named that holds what is sealed for it.
    """
    if purpose not in _purposes and f"{purpose.partition('.')[0]}." not in _purposes:
        raise PurposeUnknown(purpose)
    return _box(settings.SECRET_KEY, purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """Decrypt a secret: with the present key, or with one of those before it that are still named.

    :raises Unreadable: it was not sealed here for this purpose.
    """
    boxes = [_box(key, purpose) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    try:
        return MultiFernet(boxes).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unreadable from error


def reseal(sealed: str, *, purpose: str) -> str:
    """Seal with the present key what may have been sealed with one before it.

    :raises Unreadable: it was not sealed here for this purpose.
    """
    return seal(unseal(sealed, purpose=purpose), purpose=purpose)


def is_current(sealed: str, *, purpose: str) -> bool:
    """Tell whether something was sealed with the present key."""
    try:
        _box(settings.SECRET_KEY, purpose).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def allow(purpose: str) -> None:
    """Let texts be sealed for a purpose, or for all that begin with it where it ends with a point; ``kernel.resealing`` does."""
    _purposes.add(purpose)


_purposes: set[str] = set()


@lru_cache(maxsize=16)
def _box(key: str, purpose: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"bitvault.sealing.{purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(key.encode())))
