"""Sealing: secrets that must be read again are kept encrypted, with a key that is made of the installation's own.

Who reads the database, or a backup of it, without the environment reads none of them. What is only compared is hashed instead.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """What is kept was sealed with another key, or for another purpose, or was altered."""


def seal(text: str, *, purpose: str) -> str:
    """Encrypt a secret.

    :param purpose: what it is for; under another purpose it cannot be read.
    """
    return _box(settings.SECRET_KEY, purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """Decrypt a secret.

    :raises Unreadable: it was not sealed here for this purpose.
    """
    try:
        return _box(settings.SECRET_KEY, purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unreadable from error


@lru_cache(maxsize=16)
def _box(key: str, purpose: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"bitvault.sealing.{purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(key.encode())))
