"""The last step of a start: one small file goes the way of a user's file and is deleted for ever. What stands in the way is said."""

import hashlib
import http.client
import json
import os
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urlsplit

from bitvault.stack.ports import LOOPBACK

NAME = "BitVault start check"
SIZE_BYTES = 4096

# Together with the time that a commit may take before it answers 202.
CALL_SECONDS = 20.0
COMMIT_SECONDS = 60.0
# An authority of the front's own gives it at once, one of the world within seconds where it is reached at all.
CERTIFICATE_SECONDS = 10.0

PAUSE_SECONDS = 0.5

MOST_QUOTED = 300
HTTPS_PORT = 443


class TrialFailed(Exception):
    """The file did not arrive; the text is a clause that tells where it stopped."""


class TrialImpossible(Exception):
    """It could not be tried; the text is a clause that tells why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        """Give the JSON object in the body, or an empty one."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def reason(self) -> str:
        """Say what a refusal says, short enough for a line."""
        told = self.content
        said = f"{told.get('detail') or told.get('title') or ''} {told.get('code') or ''}".strip()
        return f"{self.status}: {said or self.body.decode(errors='replace')[:MOST_QUOTED] or 'without a word'}"


def try_upload(*, base_url: str, token: str, front: tuple[str, int] = (LOOPBACK, HTTPS_PORT)) -> None:
    """Upload, commit and delete a file of random bytes as the demo tenant's owner; the names of a domain belong to ``front``, here.

    :raises TrialFailed: one of the steps was refused, or got no answer.
    :raises TrialImpossible: the token is no longer good, or the domain has no certificate yet.
    """
    _Trial(base_url, token, front).run()


class _Trial:
    def __init__(self, base_url: str, token: str, front: tuple[str, int]) -> None:
        self._base_url = base_url
        self._front = front
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def run(self) -> None:
        body = os.urandom(SIZE_BYTES)
        part_hash = hashlib.sha256(body).hexdigest()
        me = self._call("GET", "/me", None)
        if me.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
            raise TrialImpossible(f"the demo's token is no longer good, {me.reason}")
        if "root_id" not in me.content:
            raise TrialFailed(f"who may upload was not told ({me.reason})")
        wanted = {
            "parent_id": me.content["root_id"],
            "name": NAME,
            "size_bytes": SIZE_BYTES,
            # One that an earlier start could not delete is written over.
            "mode": "overwrite",
            "part_hashes": [part_hash],
        }
        upload = self._ask("the upload was not started", "POST", "/uploads", HTTPStatus.CREATED, wanted)
        for part in upload["parts"]:
            if part["state"] == "send":
                answer = _call(part["method"], part["url"], body, part["headers"], self._front)
                if answer.status != HTTPStatus.OK:
                    raise TrialFailed(f"the object store did not take the bytes ({answer.reason})")
        node = self._commit(upload["id"], part_hash)
        self._ask("the file was not deleted", "DELETE", f"/nodes/{node}", HTTPStatus.NO_CONTENT)
        self._ask("the file was not deleted for ever", "DELETE", f"/trash/{node}", HTTPStatus.NO_CONTENT)

    def _commit(self, upload_id: str, part_hash: str) -> str:
        deadline = time.monotonic() + COMMIT_SECONDS
        while True:
            answer = self._call("POST", f"/uploads/{upload_id}/commit", {"part_hashes": [part_hash]})
            if answer.status in (HTTPStatus.OK, HTTPStatus.CREATED):
                return str(answer.content["id"])
            if answer.status != HTTPStatus.ACCEPTED or time.monotonic() > deadline:
                raise TrialFailed(f"the upload was not committed ({answer.reason})")
            time.sleep(PAUSE_SECONDS)

    def _ask(
        self, failure: str, method: str, path: str, expected: HTTPStatus, body: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        answer = self._call(method, path, body)
        if answer.status != expected:
            raise TrialFailed(f"{failure} ({answer.reason})")
        return answer.content

    def _call(self, method: str, path: str, body: Mapping[str, object] | None) -> Answer:
        sent = None if body is None else json.dumps(body).encode()
        return _call(method, f"{self._base_url}/api/v1{path}", sent, self._headers, self._front)


def _call(method: str, url: str, body: bytes | None, headers: Mapping[str, str], front: tuple[str, int]) -> Answer:
    address = urlsplit(url)
    try:
        connection = _connect_patiently(address, front)
    except ssl.SSLError as refusal:
        raise TrialImpossible(f"the front has no certificate for {address.hostname} yet") from refusal
    except OSError as refusal:
        raise TrialFailed(f"{address.netloc} does not answer ({refusal})") from refusal
    try:
        target = f"{address.path}?{address.query}" if address.query else address.path
        connection.request(method, target, body, dict(headers))
        answer = connection.getresponse()
        return Answer(status=answer.status, body=answer.read())
    except (OSError, http.client.HTTPException) as refusal:
        raise TrialFailed(f"{address.netloc} does not answer ({refusal})") from refusal
    finally:
        connection.close()


def _connect_patiently(address: SplitResult, front: tuple[str, int]) -> http.client.HTTPConnection:
    """Connect, and wait a little where a front that has just begun gets its certificate."""
    deadline = time.monotonic() + CERTIFICATE_SECONDS
    while True:
        try:
            return _connect(address, front)
        except ssl.SSLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)


def _connect(address: SplitResult, front: tuple[str, int]) -> http.client.HTTPConnection:
    """Connect to a server of this machine. The names of a domain may lead elsewhere, and its certificate may be one that this machine does
    not trust: here they belong to the front, which is ours.
    """
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=CALL_SECONDS)
    if address.scheme != "https":
        connection.connect()
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection(front, timeout=CALL_SECONDS)
    try:
        connection.sock = context.wrap_socket(plain, server_hostname=address.hostname)
    except BaseException:
        plain.close()
        raise
    return connection
