"""Reads copies of anchors from a bucket of an S3 store, with Python's standard library alone.

Of each name the oldest version is read, whatever was put over it, and whatever marks it as deleted.
"""

import hashlib
import hmac
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

SECONDS = 30.0
AT_ONCE = 8
_OK = 200
_NOTHING = hashlib.sha256(b"").hexdigest()


class Unanswered(OSError):
    """The store does not answer, or not so that anything could be read."""


@dataclass(frozen=True)
class Bucket:
    """A bucket, and who asks."""

    endpoint: str
    name: str
    prefix: str
    region: str
    key_id: str
    secret: str
    token: str = ""

    def load(self, tenant_id: str) -> Iterator[bytes]:
        """Give the copies of a tenant's anchors.

        :raises Unanswered: they cannot be read.
        """
        oldest = self._find_oldest(f"{self.prefix}{tenant_id}/")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(lambda named: self._read(*named), sorted(oldest.items()))

    def _find_oldest(self, prefix: str) -> "dict[str, str]":
        oldest: dict[str, tuple[str, str]] = {}
        query = {"versions": "", "prefix": prefix}
        while True:
            page = self._ask("", query)
            space = page.tag.partition("}")[0] + "}" if page.tag.startswith("{") else ""
            for one in page.iter(f"{space}Version"):
                key, version, at = (one.findtext(space + name) or "" for name in ("Key", "VersionId", "LastModified"))
                # Versions come the newest first: of two at one moment the later one of the list is the older one.
                if key not in oldest or at <= oldest[key][0]:
                    oldest[key] = at, version
            if page.findtext(f"{space}IsTruncated") != "true":
                return {key: version for key, (_, version) in oldest.items()}
            query["key-marker"] = page.findtext(f"{space}NextKeyMarker") or ""
            query["version-id-marker"] = page.findtext(f"{space}NextVersionIdMarker") or ""

    def _ask(self, key: str, query: "dict[str, str]") -> ET.Element:
        try:
            return ET.fromstring(self._get(key, query))  # noqa: S314 - it expands no external entity
        except ET.ParseError as error:
            raise Unanswered(f"{self.endpoint} does not answer as an S3 store does") from error

    def _read(self, key: str, version: str) -> bytes:
        return self._get(key, {} if version in ("", "null") else {"versionId": version})

    def _get(self, key: str, query: "dict[str, str]") -> bytes:
        url = urlsplit(self.endpoint)
        path = quote(f"{url.path.rstrip('/')}/{self.name}" + (f"/{key}" if key else ""), safe="/-_.~")
        asked = "&".join(
            f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
            for name, value in sorted(query.items())
            if value or name == "versions"
        )
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        line = kind(url.netloc, timeout=SECONDS)
        try:
            line.request("GET", f"{path}?{asked}" if asked else path, headers=self._sign(url.netloc, path, asked))
            answer: HTTPResponse = line.getresponse()
            body = answer.read()
        except (OSError, HTTPException) as error:
            raise Unanswered(f"{self.endpoint} does not answer: {error}") from error
        finally:
            line.close()
        if answer.status != _OK:
            raise Unanswered(
                f"{self.endpoint} answers {answer.status} for s3://{self.name}/{key}: {body[:300].decode(errors='replace')}"
            )
        return body

    def _sign(self, host: str, path: str, query: str) -> "dict[str, str]":
        """Sign a request without a body (AWS Signature Version 4)."""
        now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")  # noqa: UP017 - Python 3.10
        headers = {"host": host, "x-amz-content-sha256": _NOTHING, "x-amz-date": now}
        if self.token:
            headers["x-amz-security-token"] = self.token
        names = ";".join(sorted(headers))
        request = "\n".join(
            ("GET", path, query, *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, _NOTHING)
        )
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        text = "\n".join(("AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()))
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        credential = f"AWS4-HMAC-SHA256 Credential={self.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**headers, "Authorization": credential}


def open_bucket(address: str, endpoint: str) -> Bucket:
    """Open ``s3://bucket/prefix`` with the keys of the environment (``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``).

    :raises Unanswered: there are none.
    """
    name, _, prefix = address.removeprefix("s3://").rstrip("/").partition("/")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    key_id, secret = os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", "")
    if not (name and key_id and secret):
        raise Unanswered("s3://bucket/prefix needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    return Bucket(
        endpoint=(endpoint or f"https://s3.{region}.amazonaws.com").rstrip("/"),
        name=name,
        prefix=f"{prefix}/" if prefix else "",
        region=region,
        key_id=key_id,
        secret=secret,
        token=os.environ.get("AWS_SESSION_TOKEN", ""),
    )
