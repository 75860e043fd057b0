"""Clients as devices are: every request is repeated until it is answered, and some answers get lost on purpose."""

import hashlib
import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from soak.tally import Tally

PATIENCE_SECONDS = 90.0
"""How long a request may go unanswered while processes die and come back; then something does not come back."""

PAUSE_SECONDS = 0.1
LOST_SHARE = 0.03
"""Share of mutations whose answer the client does not wait for; it repeats them and must get the same one."""

HASTE_SECONDS = 0.02


class NeverAnswered(Exception):
    """A request was repeated for as long as anybody would wait."""


class PatientClient:
    """A REST client of one device."""

    def __init__(
        self,
        base_url: str,
        token: str,
        tally: Tally,
        chance: random.Random,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """:param pause: what to do between two tries."""
        self._base_url = base_url
        self._token = token
        self._tally = tally
        self._chance = chance
        self._pause = pause
        self._http = self._connect()
        self.device_id: str | None = None

    def _connect(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self._base_url}/api/v1",
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=httpx.Timeout(20.0),
            verify=False,  # noqa: S501 - no TLS here, and preparing it takes longer than a request
        )

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.ask("GET", path, query=query)

    def post(self, path: str, body: Any) -> httpx.Response:
        """Ask for something new: repeated under one key, so that it happens once."""
        return self.ask("POST", path, body=body, headers={"Idempotency-Key": uuid.uuid4().hex})

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
    ) -> httpx.Response:
        """Ask until there is an answer that says something about the request and not about the server's state.

        :raises NeverAnswered: there was none.
        """
        headers = dict(headers or {})
        if self.device_id is not None:
            headers["BitVault-Device"] = self.device_id
        hasty = method != "GET" and self._chance.random() < LOST_SHARE

        def send() -> httpx.Response:
            nonlocal hasty
            timeout = HASTE_SECONDS if hasty else 20.0
            hasty = False
            return self._http.request(method, path, json=body, headers=headers, params=query or None, timeout=timeout)

        answer = self.until_answered(send)
        if answer.status_code in {400, 401, 403} or answer.status_code >= 500:
            self._tally.violate(f"{method} {path} {body} was answered {answer.status_code} {answer.text[:200]}")
        elif answer.status_code >= 400:
            self._tally.count(self._tally.refused, answer.json()["code"])
        return answer

    def until_answered(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE_SECONDS
        last = "nothing"
        while time.monotonic() < deadline:
            try:
                answer = send()
            except httpx.TimeoutException:
                self._tally.count(self._tally.faults, "answer lost")
                # The answer may still come on this connection, to the next request.
                self._http.close()
                self._http = self._connect()
                continue
            except httpx.TransportError as broken:
                last = repr(broken)
                self._tally.count(self._tally.waits, "no connection")
            else:
                if answer.status_code not in {429, 503}:
                    return answer
                last = answer.text[:200]
                self._tally.count(
                    self._tally.waits, f"{answer.status_code} {answer.headers.get('Retry-After', '')}".strip()
                )
            self._pause(PAUSE_SECONDS)
        raise NeverAnswered(last)

    def put(self, part: dict[str, Any], content: bytes) -> None:
        """Send a part to the store."""

        def send() -> httpx.Response:
            return httpx.put(part["url"], content=content, headers=part["headers"], timeout=20.0, verify=False)  # noqa: S501 - as above

        answer = self.until_answered(send)
        if answer.status_code != 200:
            self._tally.violate(f"the store refused a part: {answer.status_code} {answer.text[:200]}")

    def upload(self, name: str, content: bytes, **wishes: Any) -> dict[str, Any] | None:
        """Bring a file; returns its node, or nothing where that was refused."""
        hashes = {"part_hashes": [hashlib.sha256(content).hexdigest()]}
        body = {"name": name, "size_bytes": len(content), **hashes, **wishes}
        started = self.post("/uploads", body)
        if started.status_code != 201:
            return None
        upload = started.json()
        for _ in range(5):
            for part in upload["parts"]:
                if part["state"] == "send":
                    self.put(part, content)
            answer = self.ask("POST", f"/uploads/{upload['id']}/commit", body=hashes)
            while answer.status_code == 202:
                time.sleep(int(answer.headers["Retry-After"]))
                answer = self.ask("POST", f"/uploads/{upload['id']}/commit", body=hashes)
            if answer.status_code in {200, 201}:
                return dict(answer.json())
            if answer.status_code != 409 or "missing_parts" not in answer.json():
                return None
            parts = [{"number": 1, "sha256": hashlib.sha256(content).hexdigest()}]
            upload["parts"] = self.post(f"/uploads/{upload['id']}/parts", {"parts": parts}).json()["items"]
        self._tally.violate(f"the upload {upload['id']} is never whole")
        return None


class Ledger:
    """Every content that was acknowledged, by its version, and every node that was asked to be deleted for good."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.contents: dict[str, tuple[str, bytes]] = {}
        self.purged: set[str] = set()

    def keep(self, node: dict[str, Any], content: bytes) -> None:
        with self._lock:
            self.contents[node["version_id"]] = (node["id"], content)

    def forget(self, node_id: str) -> None:
        with self._lock:
            self.purged.add(node_id)
