"""A push service on this machine, and browsers that subscribe to it: each reads its messages as RFC 8291 says, with a key that it alone has."""

import base64
import json
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _hmac(key: bytes, data: bytes) -> bytes:
    mac = HMAC(key, SHA256())
    mac.update(data)
    return mac.finalize()


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass
class Subscriber:
    """A browser: its address at the service, and its keys."""

    address: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    def body(self) -> dict:
        """What ``PushSubscription.toJSON()`` gives."""
        return {"endpoint": self.address, "keys": {"p256dh": encode(point_of(self.key)), "auth": encode(self.auth)}}

    def read(self, body: bytes) -> bytes:
        """Decrypt a message: RFC 8291, section 3.4, step by step, with HMAC alone."""
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(body) <= 4096
        assert len(sealed) <= size
        secret = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
        prk_key = _hmac(self.auth, secret)
        ikm = _hmac(prk_key, b"WebPush: info\0" + point_of(self.key) + sender + b"\x01")
        prk = _hmac(salt, ikm)
        cek = _hmac(prk, b"Content-Encoding: aes128gcm\0\x01")[:16]
        nonce = _hmac(prk, b"Content-Encoding: nonce\0\x01")[:12]
        text = AESGCM(cek).decrypt(nonce, sealed, None).rstrip(b"\0")
        assert text.endswith(b"\x02"), "it is not the last record"
        return text[:-1]


@dataclass
class Pushed:
    """A request that has come to the service."""

    path: str
    headers: dict[str, str]
    body: bytes

    def prove(self, public_key: str) -> dict:
        """Judge who sends it (RFC 8292); returns the claims."""
        scheme, _, rest = self.headers["authorization"].partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        assert (scheme, parts["k"]) == ("vapid", public_key)
        signed, _, signature = parts["t"].rpartition(".")
        raw = decode(signature)
        der = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decode(public_key))
        digest = Hash(SHA256())
        digest.update(signed.encode())
        key.verify(der, digest.finalize(), ec.ECDSA(utils.Prehashed(SHA256())))
        head, claims = (json.loads(decode(part)) for part in signed.split("."))
        assert head["alg"] == "ES256"
        return claims


@dataclass
class PushService:
    """Answers with what is next in ``says`` (a status, or a status and headers), or 201 when nothing is."""

    url: str = ""
    got: list[Pushed] = field(default_factory=list)
    says: list = field(default_factory=list)
    subscribers: list[Subscriber] = field(default_factory=list)

    def subscribe(self) -> Subscriber:
        one = Subscriber(f"{self.url}/{len(self.subscribers)}/{os.urandom(8).hex()}")
        self.subscribers.append(one)
        return one

    def read(self, subscriber: Subscriber) -> list[dict]:
        """Give what has come for a browser, as it reads it."""
        mine = [one for one in self.got if subscriber.address.endswith(one.path)]
        return [json.loads(subscriber.read(one.body)) for one in mine]


@contextmanager
def push_service():
    it = PushService()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            it.got.append(Pushed(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            said = it.says.pop(0) if it.says else 201
            status, headers = said if isinstance(said, tuple) else (said, {})
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield it
    server.shutdown()
    server.server_close()
    thread.join(5)
