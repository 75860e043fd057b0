"""Signatures that S3 asks for (AWS Signature Version 4), for what every upload and download needs: a URL for a client, and one HEAD.

The library's signer is made for any request to any service and takes 0.17 to 0.34 ms for each, a tenth of a download; the same
arithmetic for ours alone takes 0.02 to 0.04 ms. Its tests hold every signature against the library's. Source: AWS, "Authenticating
Requests (AWS Signature Version 4)", Amazon S3 API reference.
"""

import functools
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import quote, urlsplit

from bitvault.kernel import clock

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNSIGNED = "UNSIGNED-PAYLOAD"
_EMPTY = sha256(b"").hexdigest()
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Signer:
    """Signs requests to one address of the store."""

    def __init__(self, *, endpoint_url: str, region: str, access_key_id: str, secret_access_key: str) -> None:
        address = urlsplit(endpoint_url)
        self._origin = f"{address.scheme}://{address.netloc}"
        self._base = address.path.rstrip("/")
        # As clients write it: none names the port that its scheme has anyway.
        is_default = address.port in (None, _DEFAULT_PORTS.get(address.scheme))
        self._host = address.netloc.removesuffix(f":{address.port}") if is_default else address.netloc
        self._region = region
        self._access_key_id = access_key_id
        self._secret_access_key = secret_access_key

    def sign_url(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        lifetime: timedelta,
        at: datetime | None = None,
    ) -> str:
        """Sign a request whose sender holds no key: these headers and this query, any body that they allow, for ``lifetime`` from now.

        :param at: when ``lifetime`` begins, if not now. Signed again at the same moment, it is the same URL.
        """
        stamp = _stamp_of(at or clock.now())
        signed_headers = {**{name.lower(): value for name, value in headers.items()}, "host": self._host}
        full_query = {
            **query,
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self._access_key_id}/{self._scope(stamp)}",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(int(lifetime.total_seconds())),
            "X-Amz-SignedHeaders": ";".join(sorted(signed_headers)),
        }
        target, text = self._target(path), _write_query(full_query)
        signature = self._sign(stamp, method, target, text, signed_headers, _UNSIGNED)
        return f"{self._origin}{target}?{text}&X-Amz-Signature={signature}"

    def sign_bare(self, method: str, path: str, *, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Sign a request of our own without query and body; returns what stands in its first line, and its headers."""
        stamp = _stamp_of(clock.now())
        sent = {**headers, "host": self._host, "x-amz-content-sha256": _EMPTY, "x-amz-date": stamp}
        target = self._target(path)
        signature = self._sign(stamp, method, target, "", sent, _EMPTY)
        credential = f"{self._access_key_id}/{self._scope(stamp)}"
        sent["authorization"] = (
            f"{_ALGORITHM} Credential={credential}, SignedHeaders={';'.join(sorted(sent))}, Signature={signature}"
        )
        return target, sent

    def _target(self, path: str) -> str:
        return self._base + quote(path, safe="/-_.~")

    def _scope(self, stamp: str) -> str:
        return f"{stamp[:8]}/{self._region}/s3/aws4_request"

    def _sign(self, stamp: str, method: str, target: str, query: str, headers: Mapping[str, str], payload: str) -> str:
        names = sorted(headers)
        lines = [f"{name}:{' '.join(headers[name].split())}" for name in names]
        request = "\n".join([method, target, query, *lines, "", ";".join(names), payload])
        text = f"{_ALGORITHM}\n{stamp}\n{self._scope(stamp)}\n{sha256(request.encode()).hexdigest()}"
        return hmac.digest(_key_of(self._secret_access_key, stamp[:8], self._region), text.encode(), "sha256").hex()


def _stamp_of(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _write_query(query: Mapping[str, str]) -> str:
    """Write a query in the order and spelling in which it is signed."""
    return "&".join(sorted(f"{_quote(name)}={_quote(value)}" for name, value in query.items()))


@functools.lru_cache(maxsize=1024)
def _quote(text: str) -> str:
    """Spell a name or value of a query; most of them come again and again."""
    return quote(text, safe="-_.~")


@functools.lru_cache(maxsize=4)
def _key_of(secret_access_key: str, day: str, region: str) -> bytes:
    """Derive the key of a day: the same for all that is signed in it."""
    key = f"AWS4{secret_access_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
