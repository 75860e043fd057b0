import pytest
from django.test import RequestFactory

from bitvault.web.address import UNKNOWN, client_address, settle_host, socket_origin


def address(peer, forwarded=None):
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


def test_without_a_proxy_the_peer_is_the_client_whatever_it_says(settings):
    settings.BITVAULT_TRUSTED_PROXY_COUNT = 0
    assert address("192.0.2.1", "203.0.113.9") == "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (1, None, "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (3, "203.0.113.9", "203.0.113.9"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::1]", "2001:db8::"),
    ],
)
def test_behind_proxies_the_outermost_trusted_one_says_whom_it_saw(settings, proxies, forwarded, expected):
    settings.BITVAULT_TRUSTED_PROXY_COUNT = proxies
    assert address("192.0.2.1", forwarded) == expected


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:0DB8:0001:0002::ffff", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::1", "::1"),
        ("", UNKNOWN),
        ("unix:", UNKNOWN),
        ("nonsense", UNKNOWN),
    ],
)
def test_an_address_has_one_spelling_and_an_ipv6_client_is_its_network(settings, peer, expected):
    settings.BITVAULT_TRUSTED_PROXY_COUNT = 0
    assert address(peer) == expected


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        # What proxies write: with and without port, in brackets, quoted, with a zone.
        ("203.0.113.9", "203.0.113.9"),
        (" 203.0.113.9 ", "203.0.113.9"),
        ("203.0.113.9:65535", "203.0.113.9"),
        ('"203.0.113.9:4711"', "203.0.113.9"),
        ("2001:db8::1", "2001:db8::"),
        ("2001:DB8:0:0::1", "2001:db8::"),
        ("[2001:db8::1]", "2001:db8::"),
        ("[2001:db8::1]:443", "2001:db8::"),
        ('"[2001:db8::1]:443"', "2001:db8::"),
        ("[2001:db8:1:2:3:4:5:6]:8443", "2001:db8:1:2::"),
        ("[::ffff:192.0.2.1]:443", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::1]:443", "::1"),
        ("fe80::1%eth0", "fe80::"),
        ("[fe80::1%25eth0]:80", "fe80::"),
        # Several lines are one list; empty members are none.
        ("6.6.6.6,203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, [2001:db8::1]:443", "2001:db8::"),
        ("6.6.6.6,, 203.0.113.9 ,", "203.0.113.9"),
        # Garbage in the proxy's own place is nobody, and never the client's word before it.
        ("6.6.6.6, unknown", UNKNOWN),
        ("6.6.6.6, _hidden", UNKNOWN),
        ("6.6.6.6, 203.0.113", UNKNOWN),
        ("6.6.6.6, 203.0.113.9:", UNKNOWN),
        ("6.6.6.6, 203.0.113.9:https", UNKNOWN),
        ("6.6.6.6, 203.0.113.9:999999", UNKNOWN),
        ("6.6.6.6, [2001:db8::1", UNKNOWN),
        ("6.6.6.6, 2001:db8::1]:443", UNKNOWN),
        ("6.6.6.6, [203.0.113.9]x", UNKNOWN),
        ("6.6.6.6, 0203.0.113.9", UNKNOWN),
        ("6.6.6.6, 1.2.3.4\x00", UNKNOWN),
        ("6.6.6.6, " + "9" * 5000, UNKNOWN),
    ],
)
def test_what_the_trusted_proxy_writes_is_understood_in_every_spelling(settings, forwarded, expected):
    settings.BITVAULT_TRUSTED_PROXY_COUNT = 1
    assert address("192.0.2.1", forwarded) == expected


def settled(host, origin=None, *, secure=False):
    """Give Host and Origin as they are compared after a proxy has had its way with them."""
    headers = {"host": host} if origin is None else {"host": host, "origin": origin}
    request = RequestFactory().post("/", headers=headers, secure=secure)
    settle_host(request)
    return request.get_host(), request.headers.get("Origin")


@pytest.mark.parametrize(
    ("host", "origin", "secure", "same"),
    [
        ("acme.example.com", "http://acme.example.com", False, True),
        ("acme.example.com:80", "http://acme.example.com", False, True),
        ("acme.example.com", "http://acme.example.com:80", False, True),
        ("ACME.example.com:080", "http://acme.example.com", False, True),
        ("acme.example.com.", "http://acme.example.com", False, True),
        ("acme.example.com:443", "https://acme.example.com", True, True),
        ("acme.example.com", "https://acme.example.com:443", True, True),
        ("acme.example.com:8443", "https://acme.example.com:8443", True, True),
        ("[::1]:80", "http://[::1]", False, True),
        # Another port, scheme or name is another origin.
        ("acme.example.com:443", "http://acme.example.com", False, False),
        ("acme.example.com:80", "https://acme.example.com", True, False),
        ("acme.example.com", "http://acme.example.com:8080", False, False),
        ("acme.example.com:8080", "http://acme.example.com", False, False),
        ("acme.example.com", "http://beta.example.com", False, False),
        ("acme.example.com:80", "http://acme.example.com.evil.example", False, False),
        ("acme.example.com", "http://acme.example.com@evil.example", False, False),
        ("acme.example.com", "http://acme.example.com/", False, False),
        ("acme.example.com", "http://acme.example.com:80/x", False, False),
        ("acme.example.com", "http://acme.example.com:notaport", False, False),
        ("acme.example.com", "//acme.example.com", False, False),
        ("acme.example.com", "null", False, False),
        ("acme.example.com", "", False, False),
    ],
)
def test_a_port_that_everybody_knows_makes_no_other_origin(settings, host, origin, secure, same):
    settings.BITVAULT_BASE_URL = "https://elsewhere.example:9999"
    host, origin = settled(host, origin, secure=secure)
    assert (origin == f"{'https' if secure else 'http'}://{host}") is same


@pytest.mark.parametrize(
    ("base_url", "host", "origin", "expected"),
    [
        # A proxy names no port, or that of its own container; the pages' own address is known.
        ("https://example.com:8443", "acme.example.com", "https://acme.example.com:8443", "acme.example.com:8443"),
        ("https://example.com", "acme.example.com:8080", "https://acme.example.com", "acme.example.com"),
        ("https://example.com", "acme.example.com:8080", "https://beta.example.com", "acme.example.com:8080"),
        ("https://example.com", "acme.example.com:8080", "http://acme.example.com", "acme.example.com:8080"),
        ("https://example.com", "acme.example.com:8080", None, "acme.example.com:8080"),
    ],
)
def test_pages_at_the_address_of_this_installation_are_its_own_whatever_a_proxy_makes_of_the_port(
    settings, base_url, host, origin, expected
):
    settings.BITVAULT_BASE_URL = base_url
    assert settled(host, origin, secure=True)[0] == expected


@pytest.mark.parametrize(
    ("base_url", "socket_url", "host", "expected"),
    [
        ("http://localhost:8000", "", "acme.localhost:8000", "ws://acme.localhost:8000"),
        ("http://localhost:8000", "", "127.0.0.1:8000", "ws://127.0.0.1:8000"),
        ("http://localhost:8000", "", "[::1]:8000", "ws://[::1]:8000"),
        ("https://example.com", "", "acme.example.com", "wss://acme.example.com"),
        ("https://example.com", "", "acme.example.com:8080", "wss://acme.example.com"),
        ("https://example.com:8443", "", "files.acme.test", "wss://files.acme.test:8443"),
        ("http://localhost:8000", "ws://localhost:8001", "acme.localhost:8000", "ws://acme.localhost:8001"),
        ("https://example.com", "wss://example.com", "acme.example.com", "wss://acme.example.com"),
    ],
)
def test_sockets_are_where_the_request_came_to(settings, base_url, socket_url, host, expected):
    settings.BITVAULT_BASE_URL, settings.BITVAULT_SOCKET_URL = base_url, socket_url
    assert socket_origin(RequestFactory().get("/", headers={"host": host})) == expected
