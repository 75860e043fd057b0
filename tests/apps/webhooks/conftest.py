"""What tests of webhooks stand on: a receiver on this machine, which says what it is told to, and somebody who lets things be sent."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
from standardwebhooks import Webhook as Verifier

from apps.webhooks import api as webhooks
from apps.webhooks import dtos, waking
from apps.webhooks.models import Webhook
from bitvault.events import consuming
from bitvault.kernel import db
from bitvault.kernel.actor import Role
from tests.apps.files.conftest import tree
from tests.jobs.conftest import desk

__all__ = ["desk", "tree"]


@dataclass
class Got:
    """A request that has come."""

    path: str
    headers: dict
    body: bytes

    @property
    def facts(self):
        return msgspec.json.decode(self.body)

    @property
    def id(self):
        return self.headers["webhook-id"]

    def verify(self, secret):
        """Let the official library judge it."""
        return Verifier(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """Answers with what is next in ``says`` (a status, or a status and headers), or 204 when nothing is."""

    url: str = ""
    got: list = field(default_factory=list)
    says: list = field(default_factory=list)
    before: object = None

    def types(self):
        return [one.facts["type"] for one in self.got]

    def seqs(self):
        return [one.facts["seq"] for one in self.got]


@pytest.fixture
def receiver():
    it = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            it.got.append(Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            if it.before is not None:
                it.before(self)
            said = it.says.pop(0) if it.says else 204
            status, headers = said if isinstance(said, tuple) else (said, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0" if status == 204 else "4")
            self.end_headers()
            if status != 204:
                self.wfile.write(b"said")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield it
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def inside(settings):
    """Operators let webhooks reach this machine."""
    settings.BITVAULT_WEBHOOK_NETWORKS = ("127.0.0.0/8",)


@pytest.fixture
def olga(make_actor):
    """Olga, who owns acme."""
    return make_actor("olga", role=Role.OWNER)


@dataclass
class Sender:
    """Lets what happened be sent, as workers do."""

    desk: object
    actor: object

    def make(self, receiver, **wish):
        wish = {"url": receiver.url, "events": ["files.*"], **wish}
        return webhooks.create_webhook(actor=self.actor, wish=dtos.Wish(**wish))

    def send(self, *, hurry=False):
        """Read the stream and do the jobs that are due; with ``hurry`` also those that wait for a further try."""
        consuming.consume(waking.CONSUMER)
        if hurry:
            self.desk.hurry()
        return self.desk.run("outbound")

    def state(self, webhook):
        return next(one for one in webhooks.list_webhooks(actor=self.actor).items if one.id == webhook.id)

    def deliveries(self, webhook):
        return list(webhooks.list_deliveries(actor=self.actor, webhook_id=webhook.id).items)

    def set(self, webhook, **facts):
        with db.write_transaction():
            Webhook.objects.filter(pk=webhook.id).update(**facts)


@pytest.fixture
def sender(tenant, desk, inside, olga):
    consuming.consume(waking.CONSUMER)
    return Sender(desk, olga)
