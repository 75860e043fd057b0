"""Web push: a message that its browser alone can read (RFC 8291), and the proof of who sends it (RFC 8292).

The encryption stands on ``cryptography``: the library for it comes without a wheel, so installing it runs a build whose tools nobody has
pinned. The key is derived from ``BITVAULT_PUSH_KEY``, or from the installation's secret key.
"""

import base64
import binascii
import os
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from bitvault.kernel import clock, sealing

PROOF_LIFETIME = timedelta(hours=12)
"""RFC 8292 allows a day, and clocks differ."""

_CURVE = ec.SECP256R1()
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_POINT_BYTES, _AUTH_BYTES, _SALT_BYTES = 65, 16, 16
_RECORD_BYTES = 4_096
_LAST_RECORD = b"\x02"
PURPOSE = "notifications.browser"


class TargetUnfit(Exception):
    """What a browser named as its keys are none."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a browser is reached, and with what it is encrypted for: a point of P-256 and a secret of 16 bytes."""

    address: str
    point: bytes
    auth: bytes

    @classmethod
    def parse(cls, address: str, *, p256dh: str, auth: str) -> "Target":
        """Read what ``PushSubscription.toJSON()`` gives.

        :raises TargetUnfit: those are no keys.
        """
        target = cls(address, _decode(p256dh), _decode(auth))
        try:
            if len(target.point) != _POINT_BYTES or len(target.auth) != _AUTH_BYTES:
                raise TargetUnfit
            ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, target.point)
        except ValueError as error:
            raise TargetUnfit from error
        return target

    def seal(self) -> str:
        """Encrypt it for the database."""
        text = msgspec.json.encode([self.address, _encode(self.point), _encode(self.auth)]).decode()
        return sealing.seal(text, purpose=PURPOSE)

    @classmethod
    def unseal(cls, sealed: str) -> "Target":
        """Read what ``seal`` gave.

        :raises sealing.Unreadable: it was sealed with another key.
        """
        address, point, auth = msgspec.json.decode(sealing.unseal(sealed, purpose=PURPOSE), type=tuple[str, str, str])
        return cls(address, _decode(point), _decode(auth))


def public_key() -> str:
    """Give the key that browsers subscribe with, in base64url: they take messages of its owner alone."""
    return _encode(_point_of(_key(settings.BITVAULT_PUSH_KEY)))


def encrypt(
    text: bytes, target: Target, *, key: ec.EllipticCurvePrivateKey | None = None, salt: bytes | None = None
) -> bytes:
    """Encrypt a message for a browser, as one record of ``aes128gcm`` (RFC 8188).

    :param key, salt: of this message alone; by default new ones.
    """
    key = key or ec.generate_private_key(_CURVE)
    salt = salt or os.urandom(_SALT_BYTES)
    own = _point_of(key)
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, target.point))
    secret = _derive(shared, salt=target.auth, info=b"WebPush: info\0" + target.point + own, length=32)
    cipher = AESGCM(_derive(secret, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16))
    nonce = _derive(secret, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    header = salt + _RECORD_BYTES.to_bytes(4) + len(own).to_bytes(1) + own
    return header + cipher.encrypt(nonce, text + _LAST_RECORD, None)


def headers_for(target: Target, *, topic: str, lifetime: timedelta) -> dict[str, str]:
    """Give the headers of a message.

    :param topic: what waits at the push service under the same one is replaced; 32 letters of base64url.
    :param lifetime: how long the push service keeps it for a browser that does not run.
    """
    return {
        "Authorization": _prove(target.address),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(max(0, int(lifetime.total_seconds()))),
        "Topic": topic,
        "Urgency": "normal",
    }


def _prove(address: str) -> str:
    # It is needed where something is sent, and nowhere else.
    from py_vapid import Vapid02

    parts = urlsplit(address)
    base = settings.BITVAULT_BASE_URL
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((clock.now() + PROOF_LIFETIME).timestamp()),
        # Whom the push service asks when something is wrong: it has to be one of both.
        "sub": base if base.startswith("https:") else f"mailto:no-reply@{urlsplit(base).hostname}",
    }
    # It takes no address with a port as ``sub``, which RFC 8292 does.
    signer = Vapid02(private_key=_key(settings.BITVAULT_PUSH_KEY), conf={"no-strict": True})
    return str(signer.sign(claims)["Authorization"])


@lru_cache(maxsize=4)
def _key(secret: str) -> ec.EllipticCurvePrivateKey:
    # Longer than the curve's order by 128 bits, so that no key is likelier than another (FIPS 186-5, A.2.1).
    derived = _derive(secret.encode(), salt=None, info=b"bitvault.push", length=48)
    return ec.derive_private_key(int.from_bytes(derived) % (_ORDER - 1) + 1, _CURVE)


def _derive(material: bytes, *, salt: bytes | None, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(material)


def _point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except (binascii.Error, ValueError) as error:
        raise TargetUnfit from error
