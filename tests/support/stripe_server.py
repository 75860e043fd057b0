"""Stripe on this machine: the routes that BitVault uses, with published shapes, as much state as they need, and faults as they are told."""

import hashlib
import hmac
import json
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

KEY = "sk_test_of_a_test"
SECRET = "whsec_of_a_test"


@dataclass
class StripeServer:
    """``says`` is what the next requests meet instead of an answer: a status, ``lost`` (done, and the answer is cut off) or ``slow``."""

    url: str = ""
    customers: dict = field(default_factory=dict)
    subscriptions: dict = field(default_factory=dict)
    sessions: dict = field(default_factory=dict)
    prices: dict = field(default_factory=dict)
    usage: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    keys: list = field(default_factory=list)
    says: list = field(default_factory=list)
    kept: dict = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def subscribe(self, customer_id, *price_ids, status="active", **facts):
        """Have a customer pay, as at the end of a checkout."""
        made = {
            "id": f"sub_{len(self.subscriptions) + 1}",
            "object": "subscription",
            "customer": customer_id,
            "created": 1_790_000_000 + len(self.subscriptions),
            "status": status,
            "cancel_at": None,
            "cancel_at_period_end": False,
            "items": {"object": "list", "data": [self._item(price_id) for price_id in price_ids]},
            **facts,
        }
        self.subscriptions[made["id"]] = made
        return made

    def _item(self, price_id):
        return {
            "id": f"si_{price_id}",
            "object": "subscription_item",
            "price": {"id": price_id, "object": "price"},
            "current_period_end": 1_800_000_000,
        }

    def page_of(self, path):
        """Give the page that a person is led to; whoever comes to pay has paid."""
        session = self.sessions.get(path.rpartition("/")[2])
        if session is None:
            return "<!doctype html><title>Portal</title><h1>Portal</h1>"
        form = session["form"]
        self.subscribe(form["customer"], *(item["price"] for item in form["line_items"].values()))
        session["status"] = "complete"
        return f'<!doctype html><title>Checkout</title><h1>Paid</h1><a href="{form["success_url"]}">Back</a>'

    def answer(self, method, path, form, key):
        """Give status and body; a POST that comes again with its key gets the first answer."""
        if method == "POST" and key and key in self.kept:
            earlier, body = self.kept[key]
            if earlier != form:
                return 400, _refused("idempotency_error")
            return 200, body
        status, body = self._route(method, path, form)
        if method == "POST" and key and status < 400:
            self.kept[key] = (form, body)
        return status, body

    def _route(self, method, path, form):  # noqa: PLR0912 - a branch for each route
        match method, path.split("/")[2:]:
            case "POST", ["customers"]:
                made = {"id": f"cus_{len(self.customers) + 1}", "object": "customer", **form}
                self.customers[made["id"]] = made
                return 200, made
            case "GET", ["subscriptions"]:
                found = [one for one in self.subscriptions.values() if one["customer"] == form.get("customer")]
                if form.get("status") != "all":
                    found = [one for one in found if one["status"] != "canceled"]
                return 200, _list(found)
            case "GET", ["subscriptions", name] if name in self.subscriptions:
                return 200, self.subscriptions[name]
            case "POST", ["subscriptions", name] if name in self.subscriptions:
                items = self.subscriptions[name]["items"]["data"]
                for item in form.get("items", {}).values():
                    if item.get("deleted") == "true":
                        items[:] = [one for one in items if one["id"] != item["id"]]
                    else:
                        items.append(self._item(item["price"]))
                return 200, self.subscriptions[name]
            case "DELETE", ["subscriptions", name] if name in self.subscriptions:
                self.subscriptions[name]["status"] = "canceled"
                return 200, self.subscriptions[name]
            case "GET", ["checkout", "sessions"]:
                return 200, _list([one for one in self.sessions.values() if one["status"] == form.get("status")])
            case "POST", ["checkout", "sessions"]:
                number = f"cs_{len(self.sessions) + 1}"
                made = {"id": number, "object": "checkout.session", "status": "open", "form": form}
                self.sessions[number] = {**made, "url": f"{self.url}/pay/{number}"}
                return 200, self.sessions[number]
            case "POST", ["checkout", "sessions", name, "expire"] if name in self.sessions:
                self.sessions[name]["status"] = "expired"
                return 200, self.sessions[name]
            case "POST", ["billing_portal", "sessions"]:
                made = {
                    "id": "bps_1",
                    "object": "billing_portal.session",
                    "url": f"{self.url}/portal/{form['customer']}",
                }
                return 200, made
            case "POST", ["billing", "meter_events"]:
                self.usage.setdefault(form["identifier"], (form["event_name"], int(form["payload"]["value"])))
                return 200, {"object": "billing.meter_event", **form}
            case "GET", ["prices", name] if name in self.prices:
                return 200, {"id": name, "object": "price", "active": self.prices[name]}
        return 404, _refused("resource_missing")


def _refused(code):
    return {
        "error": {"type": "invalid_request_error", "code": code, "message": f"no such thing of secret name: {code}"}
    }


def _list(found):
    return {"object": "list", "data": found, "has_more": False, "url": "/v1/x"}


def _read_form(text):
    """Read ``a[b][0]=c`` as nested objects."""
    made: dict = {}
    for name, value in parse_qsl(text):
        *path, last = re.findall(r"[^\[\]]+", name)
        place = made
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return made


def start_stripe():
    it = StripeServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply("GET")

        def do_POST(self):
            self.reply("POST")

        def do_DELETE(self):
            self.reply("DELETE")

        def reply(self, method):
            parts = urlsplit(self.path)
            if parts.path.startswith(("/pay/", "/portal/")):
                self.show(it.page_of(parts.path))
                return
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            key = self.headers.get("idempotency-key", "")
            with it.lock:
                it.asked.append((method, parts.path))
                it.keys.append(key)
                said = it.says.pop(0) if it.says else None
                if said == "slow":
                    time.sleep(1.5)
                    return
                if isinstance(said, int):
                    status, answer = said, _refused("of_the_test")
                elif self.headers.get("authorization") != f"Bearer {KEY}":
                    status, answer = 401, _refused("api_key")
                else:
                    status, answer = it.answer(method, parts.path, _read_form(body or parts.query), key)
                if said == "lost":
                    self.connection.close()
                    return
                text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("Request-Id", "req_test")
            self.end_headers()
            self.wfile.write(text)

        def show(self, text):
            content = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

        def handle(self):
            with suppress(OSError, ValueError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return it, server


def notice(kind, about, *, number=1, created=None):
    """A notice as Stripe writes it."""
    return json.dumps(
        {
            "id": f"evt_{number}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": int(created or time.time()),
            "livemode": False,
            "type": kind,
            "data": {"object": about},
        }
    ).encode()


def sign(body, *, secret=SECRET, at=None):
    """Sign a notice as Stripe does: ``t=…,v1=…``."""
    moment = int(at or time.time())
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"
