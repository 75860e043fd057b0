"""Addresses that must not be reached, however they are written, whatever a name server says and whenever it says it."""

import ipaddress
import socket
import threading

import pytest

from apps.webhooks import errors
from bitvault.kernel import clock
from bitvault.kernel.outbound import addresses, egress

INSIDE = (
    *("https://127.0.0.1/", "https://127.1/", "https://0/", "https://0.0.0.0/", "https://2130706433/"),
    *("https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://017700000001/"),
    *("https://localhost/", "https://localhost./", "https://LOCALHOST/", "https://[::1]/", "https://[::]/"),
    *("https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/"),
    *("https://10.0.0.1/", "https://172.16.0.1/", "https://172.31.255.255/", "https://192.168.1.1/"),
    *("https://169.254.169.254/latest/meta-data/", "https://2852039166/", "https://100.64.0.1/"),
    *("https://192.0.0.192/", "https://192.0.2.1/", "https://192.88.99.1/", "https://198.18.0.1/"),
    *("https://224.0.0.1/", "https://239.1.2.3/", "https://240.0.0.1/", "https://255.255.255.255/"),
    *("https://[fd00::1]/", "https://[fd00:ec2::254]/", "https://[fe80::1]/", "https://[ff02::1]/"),
    *("https://[64:ff9b::7f00:1]/", "https://[64:ff9b:1::1]/", "https://[2002:7f00:1::]/"),
    *("https://[2001:0:7f00:1::]/", "https://[2001:db8::1]/", "https://[fec0::1]/", "https://[100::1]/"),
)

UNFIT = {
    "http://8.8.8.8/": "scheme",
    "ftp://8.8.8.8/": "scheme",
    "file:///etc/passwd": "scheme",
    "gopher://8.8.8.8/": "scheme",
    "//8.8.8.8/": "scheme",
    "https://8.8.8.8:22/": "port",
    "https://8.8.8.8:25/": "port",
    "https://8.8.8.8:0/": "malformed",
    "https://8.8.8.8:99999/": "malformed",
    "https://user@8.8.8.8/": "credentials",
    "https://user:pass@8.8.8.8/": "credentials",
    "https://8.8.8.8@127.0.0.1/": "credentials",
    "https://8.8.8.8\\@127.0.0.1/": "malformed",
    "https://8.8.8.8/#x": "malformed",
    "https://8.8.8.8/a b": "malformed",
    "https://8.8.8.8/\r\nX: y": "malformed",
    "https://１２７.0.0.1/": "malformed",
    "https://ⓛocalhost/": "malformed",
    "https:///x": "malformed",
    "https://[::1/": "malformed",
    "https://8.8.8.8/" + "x" * 2000: "too_long",
    "https://no-such-host.invalid/": "unknown_host",
}


@pytest.fixture(autouse=True)
def _database(request):
    """Which networks are named is asked of the settings."""
    if not request.node.get_closest_marker("committed"):
        request.getfixturevalue("db")


@pytest.fixture
def listener(monkeypatch):
    """Counts who comes to a port of this machine."""
    came = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(5)

    def wait():
        try:
            while True:
                connection, _ = server.accept()
                came.append(connection)
        except OSError:
            pass

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    yield server.getsockname()[1], came
    server.close()
    thread.join(6)
    for connection in came:
        connection.close()


@pytest.mark.parametrize("url", INSIDE)
def test_an_address_inside_is_refused(url):
    with pytest.raises(addresses.Refused) as refused:
        addresses.require_fit(url)
    assert refused.value.reason in {"inside", "unknown_host"}


@pytest.mark.parametrize(("url", "reason"), UNFIT.items(), ids=range(len(UNFIT)))
def test_an_address_that_is_none_is_refused(url, reason):
    with pytest.raises(addresses.Refused) as refused:
        addresses.require_fit(url)
    assert refused.value.reason == reason


@pytest.mark.parametrize("url", ["https://8.8.8.8/", "https://1.1.1.1:8443/x?y=z", "https://[2606:4700:4700::1111]/"])
def test_a_public_address_is_fit(url):
    addresses.require_fit(url)


def test_one_address_inside_among_several_refuses_all(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", answers("8.8.8.8", "10.0.0.1"))
    with pytest.raises(addresses.Refused, match="inside"):
        addresses.require_fit("https://example.com/")


def answers(*texts):
    def getaddrinfo(host, port, **more):
        families = [socket.AF_INET6 if ":" in text else socket.AF_INET for text in texts]
        return [(family, socket.SOCK_STREAM, 6, "", (text, port)) for family, text in zip(families, texts, strict=True)]

    return getaddrinfo


def test_a_name_that_leads_inside_a_moment_later_leads_nobody_there(listener, monkeypatch):
    """DNS rebinding: public when it is kept, inside when it is sent; and between the judgement and the connection no name is asked."""
    port, came = listener
    monkeypatch.setattr(socket, "getaddrinfo", answers("8.8.8.8"))
    addresses.require_fit(f"https://rebinding.example:{port}/")
    monkeypatch.setattr(socket, "getaddrinfo", answers("127.0.0.1"))
    answer = egress.post(f"https://rebinding.example:{port}/", b"{}", {})
    assert answer.failure == "address_refused"
    assert came == []


def test_the_connection_is_made_to_the_address_that_was_judged(monkeypatch):
    asked, connected = [], []
    public = answers("8.8.8.8")

    def first_public(host, port, **more):
        asked.append(host)
        return public(host, port) if len(asked) == 1 else answers("127.0.0.1")(host, port)

    def connect(address, *args, **more):
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", first_public)
    monkeypatch.setattr(socket, "create_connection", connect)
    assert egress.post("https://rebinding.example/", b"{}", {}).failure == "connection"
    assert (asked, connected) == (["rebinding.example"], ["8.8.8.8"])


def test_networks_that_operators_name_are_reached_and_no_others(settings):
    settings.BITVAULT_WEBHOOK_NETWORKS = ("10.1.0.0/16", "fd00:1::/32")
    for url in ("http://10.1.2.3:81/", "https://10.1.2.3/", "http://[fd00:1::7]/"):
        addresses.require_fit(url)
    for url in ("http://10.2.0.1/", "https://10.2.0.1/", "http://[fd00:2::7]/", "http://8.8.8.8/"):
        with pytest.raises(addresses.Refused):
            addresses.require_fit(url)


def test_redirects_are_not_followed(receiver, listener, inside):
    port, came = listener
    receiver.says = [(302, {"Location": f"http://127.0.0.1:{port}/"})]
    answer = egress.post(receiver.url, b"{}", {})
    assert (answer.status, answer.failure, came) == (302, "answer", [])


def test_proxies_of_the_environment_are_not_asked(receiver, listener, inside, monkeypatch):
    port, came = listener
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    assert egress.post(receiver.url, b"{}", {}).is_success
    assert came == []


@pytest.mark.parametrize("drip", [b"H", b"HTTP/1.1 200 OK\r\nX: y\r\n"])
def test_a_receiver_that_drips_is_left_when_the_time_is_over(inside, monkeypatch, drip):
    monkeypatch.setattr(egress, "TOTAL_SECONDS", 0.6)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                while not over.wait(0.1):
                    try:
                        connection.sendall(drip[:1] if len(drip) == 1 else drip)
                    except OSError:
                        return

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        answer = egress.post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {})
        over.set()
        thread.join(5)
    assert answer.failure in {"timeout", "protocol"}
    assert answer.duration_ms < 5000


def test_an_answer_that_does_not_end_is_cut_off_and_its_status_counts(receiver, inside):
    def flood(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(2000):
                handler.wfile.write(b"x" * 65536)
        except OSError:
            pass

    receiver.before = flood
    answer = egress.post(receiver.url, b"{}", {})
    assert answer.status == 200
    assert len(answer.text) == egress.KEPT_LIMIT


def test_a_name_server_that_says_nothing_holds_nobody_up(monkeypatch):
    let_go = threading.Event()
    monkeypatch.setattr(addresses, "RESOLVE_SECONDS", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: let_go.wait(10) and [])
    with pytest.raises(addresses.Refused, match="unknown_host"):
        addresses.require_fit("https://slow.example/")
    let_go.set()


@pytest.mark.committed
def test_addresses_are_judged_when_made_when_changed_and_when_sent(tenant, sender, receiver, tree, olga, settings):
    from apps.webhooks import api as webhooks
    from bitvault.events.models import StreamEvent

    webhook = sender.make(receiver)
    settings.BITVAULT_WEBHOOK_NETWORKS = ()
    with pytest.raises(errors.AddressUnfit) as made:
        sender.make(receiver, url="https://169.254.169.254/")
    assert made.value.facts == {"reason": "inside"}
    for changes in ({"url": "https://[::1]/"}, {"enabled": True}):
        with pytest.raises(errors.AddressUnfit):
            webhooks.change_webhook(actor=olga, webhook_id=webhook.id, changes=changes)
    tree.folder("a")
    sender.send()
    assert receiver.got == []
    (delivery,) = sender.deliveries(webhook)
    assert [one.failure for one in delivery.tries] == ["address_refused"]
    assert sender.state(webhook).next_try_at > clock.now()
    assert StreamEvent.objects.filter(type="webhooks.webhook.created.v1").count() == 1


def test_every_kind_of_address_is_one_of_the_public_internet_or_none():
    assert addresses.is_outside(ipaddress.ip_address("93.184.216.34"))
    assert not addresses.is_outside(ipaddress.ip_address("4000::1"))
