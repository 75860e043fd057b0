import pytest
from django.test import RequestFactory

from bitvault.web.address import UNKNOWN, client_address


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
