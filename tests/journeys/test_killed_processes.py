"""SIGKILL of whole processes, at moments that nobody chose: the web server under load, its workers, a Celery worker, the store.

Each moment is drawn from a seed that is printed with a failure; ``BITVAULT_TEST_SEED`` repeats one. How many acknowledged files are
counted, so that a run in which nothing happened would fail.
"""

import os
import random
import signal
import threading
import time
import uuid
from http import HTTPStatus

import httpx
import pytest
from celery import Celery

from bitvault.kernel.tasks import for_tenant
from bitvault.stack import buckets
from bitvault.stack.log_file import QuietOutput
from bitvault.stack.ports import free_ports
from bitvault.stack.process import ChildGroup
from bitvault.stack.secrets import ensure_secrets
from bitvault.stack.store_choice import STORES, asked_store, obtain_store
from bitvault.stack.stores import StoreOrigins
from tests.stack.processes import descendants, is_alive
from tests.support.live import Live
from tests.support.sending import PART, Sender, cut, put, sha256
from tests.support.world import ACME

pytestmark = [pytest.mark.journey, pytest.mark.store]

SCHEMA = f"t_{ACME.id.hex}"
WEB_KILLS = 4
FILES_BETWEEN_KILLS = 5
WORKER_KILLS = 4


@pytest.fixture
def seed():
    chosen = int(os.environ.get("BITVAULT_TEST_SEED", random.randrange(10**9)))
    print(f"BITVAULT_TEST_SEED={chosen}")  # noqa: T201 - shown when the test fails
    return chosen


# --- the web server ------------------------------------------------------------------------------------------------------------


class PatientClient:
    """Brings files through connections that break, as a device does: every request is repeated until it is answered."""

    def __init__(self, live, folder_id, number, seed):
        self.live = live
        self.folder_id = folder_id
        self.number = number
        self.chance = random.Random(seed)
        self.acknowledged = {}
        self.broken = 0
        self.refused = []

    def run(self, stop):
        count = 0
        while not stop.is_set():
            count += 1
            large = self.chance.random() < 0.1
            content = self.chance.randbytes(PART + 1 if large else self.chance.randrange(5000))
            self.bring(f"{self.number} {count}", content)

    def bring(self, name, content):
        pieces = cut(content)
        wanted = {"parent_id": self.folder_id, "name": name, "size_bytes": len(content)}
        wanted["part_hashes"] = [sha256(piece) for piece in pieces]
        upload = self.until(201, "/uploads", wanted, key=name)
        if upload is None:
            return
        for part in upload["parts"]:
            assert put(part, pieces[part["number"] - 1]).status == 200
        node = self.until((200, 201), f"/uploads/{upload['id']}/commit", {})
        if node is not None:
            self.acknowledged[name] = (upload["id"], node["id"], node["version_id"], content)

    def until(self, wanted, path, body, key=None):
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        headers = {"Idempotency-Key": f"{self.folder_id} {key}"} if key else {}
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            client = self.live.client("mia")
            try:
                answer = client.post(path, body, headers=headers)
            except httpx.TransportError:
                answer = None
            finally:
                client.close()
            if answer is None or _is_of_the_front(answer):
                self.broken += 1
                time.sleep(0.05)
                continue
            if answer.status_code == HTTPStatus.ACCEPTED:  # a commit that a busy machine has not ended yet
                time.sleep(0.05)
                continue
            if answer.status_code not in wanted:
                self.refused.append((path, answer.status_code, answer.text))
                return None
            return answer.json()
        self.refused.append((path, "never answered", ""))
        return None


def _is_of_the_front(answer):
    """Tell whether the front answered for a web server that is away: a device repeats the request, as after a broken connection."""
    return answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE and answer.json()["code"] == "platform.unavailable"


class Load:
    """Four devices that bring files until told to stop, and then are asked what they know."""

    def __init__(self, live, seed):
        self.api = live.client("mia")
        root_id = self.api.get("/me").json()["root_id"]
        self.folder = self.api.post("/folders", {"parent_id": root_id, "name": f"under load {uuid.uuid4()}"}).json()
        self.devices = [PatientClient(live, self.folder["id"], n, seed + n) for n in range(4)]
        self.chance = random.Random(seed)
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=device.run, args=(self.stop,)) for device in self.devices]
        for thread in self.threads:
            thread.start()

    @property
    def acknowledged_count(self):
        return sum(len(device.acknowledged) for device in self.devices)

    def go_on(self):
        """Wait until some more files were acknowledged, and then for a moment that nobody chose."""
        before = self.acknowledged_count
        Live.await_that(lambda: self.acknowledged_count >= before + FILES_BETWEEN_KILLS)
        time.sleep(self.chance.uniform(0.0, 0.1))

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert [device.refused for device in self.devices] == [[], [], [], []]
        _require_all(self.api, self.folder, self.devices)


@pytest.fixture
def load(live, seed):
    running = Load(live, seed)
    yield running
    running.stop.set()


def _require_all(api, folder, devices):
    """Everything acknowledged is there, once, with its bytes; and a commit that is repeated names the same version."""
    listed, cursor = [], None
    while True:
        page = api.get(f"/nodes/{folder['id']}/children", limit=200, **({"cursor": cursor} if cursor else {})).json()
        listed += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    acknowledged = {name: what for device in devices for name, what in device.acknowledged.items()}
    assert len({node["name"] for node in listed}) == len(listed)
    nodes = {node["name"]: node for node in listed}
    assert nodes.keys() == acknowledged.keys()
    for name, (upload_id, node_id, version_id, content) in acknowledged.items():
        assert (nodes[name]["id"], nodes[name]["version_id"]) == (node_id, version_id)
        assert Sender(api, "").fetch(nodes[name]).data == content
        again = api.post(f"/uploads/{upload_id}/commit")
        assert (again.status_code, again.json()["version_id"]) == (200, version_id)


def test_the_web_server_is_killed_under_load_again_and_again(live, load):
    for _ in range(WEB_KILLS):
        load.go_on()
        live.kill_web()
        live.start_web()
    load.go_on()
    load.end()
    assert sum(device.broken for device in load.devices) >= WEB_KILLS


def test_a_web_worker_that_is_killed_under_load_is_replaced_while_the_others_serve(live, load):
    for victim in _web_workers(live):  # two, and up to four where there are as many cores
        load.go_on()
        before = _web_workers(live)
        os.kill(victim, signal.SIGKILL)
        load.go_on()
        live.await_that(lambda before=before: len(set(_web_workers(live)) - set(before)) == 1)
    load.end()


def _web_workers(live):
    """List the processes that serve: granian's own children."""
    return [pid for pid in descendants(live._web.pid) - {live._web.pid} if is_alive(pid)]


# --- the Celery worker ---------------------------------------------------------------------------------------------------------


def test_a_celery_worker_is_killed_while_it_sweeps_and_its_task_is_not_lost(live, seed):
    """Abandoned uploads, with bytes in the store, are all swept in the end; what was committed beside them stays.

    Processes of the pool are killed: the task of a lost one goes back to its queue. The last kill takes the whole worker, whose task only
    a clock brings back; here the test is that clock. It ticks more than once, as the product's does: what is sent while the broker does
    not know yet that the worker is dead may go to the dead one.
    """
    chance = random.Random(seed)
    api = live.client("mia")
    sender = Sender(api, api.get("/me").json()["root_id"])
    kept = [(sender.bring(f"kept {seed} {n}", bytes([n]) * 100), bytes([n]) * 100) for n in range(5)]
    broker = Celery(broker=f"{live.valkey.url}/0", set_as_current=False)

    def abandon():
        for n in range(40):
            content = os.urandom(50)
            upload = sender.started(f"abandoned {uuid.uuid4()}", content)
            if n % 3:
                sender.send(upload, content)
        with live.database() as database:
            past = "now() - interval '1 day'"
            database.execute(
                f"UPDATE {SCHEMA}.storage_multipart_upload SET sweep_at = {past}, expires_at = {past} WHERE state = 'started'"
            )

    def due():
        with live.database() as database:
            statement = f"SELECT count(*) FROM {SCHEMA}.storage_multipart_upload WHERE state <> 'committed' AND swept_at IS NULL"
            return database.execute(statement).fetchone()[0]

    def sweep():
        broker.send_task("storage.sweep_uploads", headers=for_tenant(ACME.id))

    worker = live.start_worker(relay=False)
    for kill in range(WORKER_KILLS):
        abandon()
        before = due()
        sweep()
        live.await_that(lambda before=before: due() <= before - chance.randrange(1, 20))
        if kill < WORKER_KILLS - 1:
            for pid in descendants(worker.pid) - {worker.pid}:
                os.kill(pid, signal.SIGKILL)
            live.await_that(lambda: due() == 0)
        else:
            live.kill(worker)
    live.start_worker(relay=False)
    ticks = iter(range(120))
    while due():
        assert next(ticks, None) is not None, "a worker lives, and the sweeper does not come to its end"
        sweep()
        time.sleep(1)
    broker.close()
    with live.database() as database:
        states = dict(
            database.execute(f"SELECT state, count(*) FROM {SCHEMA}.storage_multipart_upload GROUP BY state").fetchall()
        )
        assert states["expired"] >= 40 * WORKER_KILLS
        held = "FROM {s}.billing_reservation r JOIN {s}.storage_multipart_upload u ON u.id = r.upload_id WHERE r.state = 'held'"
        assert database.execute(f"SELECT count(*) {held.format(s=SCHEMA)}").fetchone() == (0,)
    for node, content in kept:
        assert sender.fetch(node).data == content


# --- the store -----------------------------------------------------------------------------------------------------------------


class OwnStore:
    """An object store that may be killed."""

    def __init__(self, directory):
        # The store that the tests stand on is there already.
        kind = obtain_store(print, asked_store())
        self.ports = free_ports((*STORES[kind].port_names, "web"))
        secrets = ensure_secrets(directory / "secrets.json")
        origins = StoreOrigins(bare="http://localhost:1", tenants="http://*.localhost:1")
        self.store = STORES[kind](directory=directory / kind, ports=self.ports, secrets=secrets, origins=origins)
        self.group = ChildGroup(stack_directory=directory, output=QuietOutput(directory).of)
        self.environment = {
            "BITVAULT_S3_ENDPOINT_URL": self.store.endpoint_url,
            "BITVAULT_S3_PUBLIC_ENDPOINT_URL": self.store.endpoint_url,
            "BITVAULT_S3_ACCESS_KEY_ID": secrets.s3_access_key_id,
            "BITVAULT_S3_SECRET_ACCESS_KEY": secrets.s3_secret_access_key,
        }

    def start(self):
        self.group.launch(self.store.prepare())
        Live.await_that(lambda: buckets.is_ready(self.store.access))
        buckets.prepare(self.store.access)

    def kill(self):
        (child,) = self.group.children
        child.kill()
        child.wait_or_kill(grace_seconds=5.0)
        self.group.children.clear()

    def stop(self):
        self.group.stop()
        self.store.clean_up()


@pytest.fixture
def store(tmp_path):
    own = OwnStore(tmp_path)
    own.start()
    yield own
    own.stop()


@pytest.fixture
def live_on(store, database_template, worker_suffix):
    name = f"bv_live_store_{worker_suffix}"
    with Live(template=database_template, name=name, changes=store.environment, origins=False) as running:
        yield running


def test_the_store_is_killed_at_each_stage_of_an_upload(live_on, store, seed):
    """In the middle of a part, before the start and the commit of others, during a commit, and right after one was acknowledged."""
    chance = random.Random(seed)
    api = live_on.client("mia")
    sender = Sender(api, api.get("/me").json()["root_id"])
    ledger = []

    def keep(answer, content):
        assert answer.status_code in (200, 201), answer.text
        ledger.append((answer.json(), content))

    def killed_during(action):
        """Kill the store a moment after ``action`` has begun; returns what came of it."""
        result = []
        thread = threading.Thread(target=lambda: result.append(_answer_of(action)))
        thread.start()
        time.sleep(chance.uniform(0.0, 0.04))
        store.kill()
        thread.join()
        return result[0]

    content = os.urandom(2 * PART + 5)
    pieces = cut(content)
    small = os.urandom(1000)
    node = sender.bring("before", small)
    ledger.append((node, small))
    large = sender.started("large", content)
    ready = sender.started("ready", small[:500])
    sender.send(ready, small[:500])
    assert put(large["parts"][0], pieces[0]).status == 200

    killed_during(lambda: put(large["parts"][1], pieces[1]).status)
    for refused in (sender.start("another", content), sender.commit(ready), api.get(f"/uploads/{large['id']}")):
        assert (refused.status_code, refused.json()["code"]) == (503, "storage.store_unavailable")
    assert api.get(f"/nodes/{node['id']}/content").status_code == 302, "what needs no store goes on"
    store.start()
    held = {part["number"] for part in api.get(f"/uploads/{large['id']}").json()["parts"]}
    assert 1 in held, "the store had acknowledged this part"
    for part in sender.sign(large, content, [n for n in (1, 2, 3) if n not in held]):
        assert put(part, pieces[part["number"] - 1]).status == 200
    keep(sender.commit(ready), small[:500])

    status = killed_during(lambda: sender.commit(large).status_code)
    assert status in (200, 201, 409, 503), status
    store.start()
    keep(_commit_until_it_is_one(sender, large, content), content)

    keep(sender.commit(_sent(sender, "last", small[:700])), small[:700])
    store.kill()
    store.start()
    names = [node["name"] for node in api.get("/nodes/root/children").json()["items"]]
    assert sorted(names) == ["before", "large", "last", "ready"]
    for node, content in ledger:
        assert sender.fetch(node).data == content


def _sent(sender, name, content):
    upload = sender.started(name, content)
    sender.send(upload, content)
    return upload


def _answer_of(action):
    import urllib3

    try:
        return action()
    except (urllib3.exceptions.HTTPError, httpx.HTTPError) as broken:
        return type(broken).__name__


def _commit_until_it_is_one(sender, upload, content):
    """Repeat a commit as docs/upload.md tells: a 409 names the parts that are to be sent again."""
    answer = sender.commit(upload)
    if answer.status_code == 409:
        missing = answer.json()["missing_parts"]
        pieces = cut(content)
        for part in sender.sign(upload, content, missing):
            assert put(part, pieces[part["number"] - 1]).status == 200
        answer = sender.commit(upload)
    return answer
