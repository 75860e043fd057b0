"""Three places that change one tree: each a device that follows the feed, acts on what it knows, and is often wrong."""

import json
import random
import socket
import struct
import threading
import time
from http import HTTPStatus
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from bitvault.stack.ports import LOOPBACK
from soak.clients import PATIENCE_SECONDS, Ledger, NeverAnswered, PatientClient
from soak.tally import Tally

FIELDS = ("parent_id", "name", "revision", "kind", "version_id", "size_bytes", "content_hash")
NAMES = 15
"""So few that places clash about them."""

DEEPEST = 5
CONFLICTS = {404, 409, 410, 412, 422}


class Place(threading.Thread):
    """A device at work."""

    def __init__(self, number: int, client: PatientClient, ledger: Ledger, tally: Tally, chance: random.Random) -> None:
        super().__init__(name=f"place {number}", daemon=True)
        self.number = number
        self.client = client
        self.tally = tally
        self._ledger = ledger
        self._chance = chance
        self._ended = threading.Event()
        self.nodes: dict[str, dict[str, Any]] = {}
        self.cursor = ""
        self.told = threading.Event()

    def register(self) -> None:
        """Become a device of the tenant and read all that there is."""
        device = self.client.post("/sync/devices", {"name": f"Place {self.number}", "platform": "soak"}).json()
        self.cursor = device["cursor"]
        self.client.device_id = device["id"]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.nodes and time.monotonic() < deadline:
            self.follow()

    # --- the feed ------------------------------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Read the feed to its end."""
        while True:
            answer = self.client.get("/sync/changes", cursor=self.cursor, limit=self._chance.choice([5, 200, 1000]))
            if answer.status_code == 410:
                self._begin_anew()
                continue
            if answer.status_code == HTTPStatus.ACCEPTED:
                # A job writes down a large tree that is new to us.
                time.sleep(float(answer.headers["Retry-After"]))
                continue
            page = answer.json()
            for change in page["items"]:
                self._apply(change)
            self.cursor = page["cursor"]
            self.client.ask("POST", "/sync/cursor", body={"cursor": self.cursor})
            if not page["has_more"]:
                return

    def _begin_anew(self) -> None:
        self.tally.count(self.tally.done, "snapshot")
        self.nodes = {}
        query: dict[str, Any] = {"device_id": self.client.device_id}
        while True:
            answer = self.client.get("/sync/snapshot", **query)
            if answer.status_code == HTTPStatus.ACCEPTED:
                # A job writes a large tree down.
                time.sleep(float(answer.headers["Retry-After"]))
                continue
            page = answer.json()
            for node in page["items"]:
                self._keep(node)
            if page["next_cursor"] is None:
                self.cursor = page["cursor"]
                return
            query["cursor"] = page["next_cursor"]

    def _apply(self, change: dict[str, Any]) -> None:
        if change["op"] == "upsert":
            self._keep(change["node"])
            return
        going = [change["node_id"]]
        while going:
            gone = going.pop()
            self.nodes.pop(gone, None)
            going += [node_id for node_id, node in self.nodes.items() if node["parent_id"] == gone]

    def _keep(self, node: dict[str, Any]) -> None:
        self.nodes[node["id"]] = {field: node[field] for field in FIELDS}

    # --- deeds -----------------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            while not self._ended.is_set():
                self._do_something()
                if self.told.is_set() or self._chance.random() < 0.2:
                    self.told.clear()
                    self.follow()
        except NeverAnswered as silence:
            self.tally.violate(f"{self.name}: a request was never answered: {silence}")
        except Exception as surprise:
            self.tally.violate(f"{self.name} broke off: {surprise!r}")
            raise

    def end(self) -> None:
        self._ended.set()

    def _do_something(self) -> None:
        deeds = {
            self._add: 25,
            self._edit: 20,
            self._make_folder: 12,
            self._rename: 15,
            self._move: 12,
            self._trash: 8,
            self._restore: 6,
            self._purge: 2,
            self._end_team_folder: 1,
            self._bring_team_folder_back: 2,
        }
        (deed,) = self._chance.choices(list(deeds), weights=list(deeds.values()))
        if deed():
            self.tally.count(self.tally.done, deed.__name__[1:].replace("_", " "))

    def _some(self, kind: str) -> str | None:
        found = [node_id for node_id, node in self.nodes.items() if node["kind"] == kind and node["parent_id"]]
        return self._chance.choice(found) if found else None

    def _some_folder(self) -> str:
        folders = [node_id for node_id, node in self.nodes.items() if node["kind"] == "folder"]
        folder = self._chance.choice(folders)
        return folder if self._depth(folder) < DEEPEST else self._root()

    def _root(self) -> str:
        return self._chance.choice([node_id for node_id, node in self.nodes.items() if node["parent_id"] is None])

    def _depth(self, node_id: str) -> int:
        depth = 0
        while (parent := self.nodes[node_id]["parent_id"]) in self.nodes:
            node_id, depth = parent, depth + 1
        return depth

    def _some_name(self) -> str:
        return f"Name {self._chance.randrange(NAMES)}"

    def _add(self) -> bool:
        content = self._chance.randbytes(self._chance.randrange(3000))
        node = self.client.upload(self._some_name(), content, parent_id=self._some_folder(), autorename=True)
        if node is not None:
            self._ledger.keep(node, content)
        return node is not None

    def _edit(self) -> bool:
        file = self._some("file")
        if file is None:
            return False
        known = self.nodes[file]
        content = self._chance.randbytes(self._chance.randrange(3000))
        wishes = {"mode": "update", "node_id": file, "base_version_id": known["version_id"]}
        node = self.client.upload(known["name"], content, parent_id=known["parent_id"], **wishes)
        if node is not None:
            self._ledger.keep(node, content)
        return node is not None

    def _make_folder(self) -> bool:
        body = {"parent_id": self._some_folder(), "name": self._some_name()}
        return self.client.post("/folders", body).status_code == 201

    def _rename(self) -> bool:
        node_id = self._some(self._chance.choice(["file", "folder"]))
        return node_id is not None and self._change(node_id, {"name": self._some_name()})

    def _move(self) -> bool:
        node_id = self._some(self._chance.choice(["file", "folder"]))
        return node_id is not None and self._change(node_id, {"parent_id": self._some_folder(), "autorename": True})

    def _change(self, node_id: str, body: dict[str, Any]) -> bool:
        match = {"If-Match": f'"{self.nodes[node_id]["revision"]}"'}
        return self.client.ask("PATCH", f"/nodes/{node_id}", body=body, headers=match).status_code == 200

    def _trash(self) -> bool:
        node_id = self._some(self._chance.choice(["file", "file", "folder"]))
        if node_id is None:
            return False
        match = {"If-Match": f'"{self.nodes[node_id]["revision"]}"'}
        return self.client.ask("DELETE", f"/nodes/{node_id}", headers=match).status_code == 204

    def _restore(self) -> bool:
        items = self._trashed()
        if not items:
            return False
        item = self._chance.choice(items)
        return self.client.post(f"/trash/{item['id']}/restore", {"on_conflict": "rename"}).status_code == 200

    def _trashed(self) -> list[dict[str, Any]]:
        answer = self.client.get("/trash", limit=50, root_id=self._root())
        return list(answer.json()["items"]) if answer.status_code == 200 else []

    def _purge(self) -> bool:
        items = [item for item in self._trashed() if item["kind"] == "file"]
        if not items:
            return False
        item = self._chance.choice(items)
        self._ledger.forget(item["id"])
        return self.client.ask("DELETE", f"/trash/{item['id']}").status_code == 204

    def _end_team_folder(self) -> bool:
        """Take a whole root from everybody: to the feed it is a loss of rights."""
        folders = self.client.get("/team-folders").json()["items"]
        if not folders:
            return False
        return self.client.ask("DELETE", f"/team-folders/{self._chance.choice(folders)['id']}").status_code == 204

    def _bring_team_folder_back(self) -> bool:
        ended = self.client.get("/team-folders", ended="true").json()["items"]
        if not ended:
            return False
        return self.client.post(f"/team-folders/{self._chance.choice(ended)['id']}/restore", {}).status_code == 200


class Listener(threading.Thread):
    """The socket of a place: it hears of heads, and its connection breaks in every way there is."""

    def __init__(self, place: Place, client: PatientClient, port: int, chance: random.Random) -> None:
        super().__init__(name=f"socket of {place.name}", daemon=True)
        self._place = place
        self._client = client
        self._port = port
        self._chance = chance
        self._ended = threading.Event()
        self._abandoned: list[Any] = []
        self.heads = 0

    def end(self) -> None:
        self._ended.set()

    def run(self) -> None:
        lost_at = time.monotonic()
        while not self._ended.is_set():
            try:
                self._listen(lost_at)
            except (OSError, WebSocketException, TimeoutError):
                time.sleep(0.2)
            except NeverAnswered as silence:
                self._place.tally.violate(f"{self.name}: no ticket: {silence}")
                return
            except Exception as surprise:
                self._place.tally.violate(f"{self.name} broke off: {surprise!r}")
                raise
            else:
                lost_at = time.monotonic()

    def _listen(self, lost_at: float) -> None:
        """Hold one socket until its time has come, or somebody else ends it; raises when it could not be opened."""
        self._client.device_id = self._place.client.device_id
        ticket = self._client.ask("POST", "/sync/ticket", body={"device_id": self._client.device_id}).json()["ticket"]
        plug = socket.create_connection((LOOPBACK, self._port), timeout=5)
        url = f"ws://{LOOPBACK}:{self._port}/ws/v1/sync?ticket={ticket}"
        connection = connect(url, sock=plug, compression=None, open_timeout=10, close_timeout=1, ping_interval=None)
        until = time.monotonic() + self._chance.uniform(0.5, 8.0)
        first = True
        while not self._ended.is_set() and time.monotonic() < until:
            try:
                head = json.loads(connection.recv(timeout=0.5))["seq"]
            except TimeoutError:
                continue
            except WebSocketException:
                return
            self.heads += 1
            if first:
                self._place.tally.resumptions.append(time.monotonic() - lost_at)
                first = False
            self._last_head = head
            self._place.told.set()
        self._cut(connection, plug)

    def _cut(self, connection: Any, plug: socket.socket) -> None:
        how = "closed" if self._ended.is_set() else self._chance.choice(["reset", "half open", "closed"])
        match how:
            case "reset":
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                plug.close()
            case "half open":
                # Nothing is said and nothing is read any more; the server finds out by itself.
                self._abandoned.append(connection)
            case "closed":
                connection.close(code=1001)
        self._place.tally.count(self._place.tally.faults, f"socket {how}")
