"""The main job by REST, through real processes."""

import os

import pytest

from tests.support.sending import Sender

pytestmark = [pytest.mark.journey, pytest.mark.store]


@pytest.fixture(scope="module")
def mia(live):
    client = live.client("mia")
    return Sender(client, client.get("/me").json()["root_id"])


def test_a_file_goes_in_and_comes_out(mia):
    content = os.urandom(100)
    node = mia.bring("a.bin", content)
    assert mia.fetch(node).data == content
