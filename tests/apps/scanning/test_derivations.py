"""What is made of content waits for its scan, and is not made of what is infected: pictures, and the text that search finds."""

import pytest

from bitvault.events import consuming
from bitvault.jobs import running
from bitvault.kernel import tenancy
from tests.apps.previews.pictures import picture
from tests.apps.scanning import clamav

pytestmark = [pytest.mark.store, pytest.mark.committed]


@pytest.fixture
def derive(acme):
    """Let previews be drawn and texts be read of what the stream tells."""

    def derive():
        with tenancy.entered(acme):
            for consumer in ("previews", "search"):
                consuming.consume(consumer)
        while running.run_next("drawing"):
            pass

    return derive


def seen(mia, node):
    answer = mia.api.get(f"/nodes/{node['id']}/preview")
    return answer.status_code if answer.status_code != 404 else answer.json().get("reason")


def texts(mia, word):
    return [one["node"]["name"] for one in mia.api.get("/search", q=word).json()["items"]]


def test_pictures_and_texts_are_made_once_the_scan_has_found_nothing(clamd, scanned_by, rule, mia, work, derive):
    scanned_by(clamd.url)
    rule("require")
    photo = mia.bring("photo.png", picture("PNG"))
    mia.bring("letter.txt", b"the quarterly heliotrope")
    derive()
    assert seen(mia, photo) == 202
    assert texts(mia, "heliotrope") == []
    work()
    derive()
    assert seen(mia, photo) == 302
    assert texts(mia, "heliotrope") == ["letter.txt"]


def test_nothing_is_made_of_what_is_infected_until_it_is_released(clamd, scanned_by, rule, mia, adam, work, derive):
    scanned_by(clamd.url)
    rule("require")
    photo = mia.bring("photo.png", picture("PNG") + clamav.MARKER)
    mia.bring("letter.txt", b"the quarterly heliotrope " + clamav.MARKER)
    work()
    derive()
    assert mia.api.get(f"/nodes/{photo['id']}/preview").json()["reason"] == "infected"
    assert texts(mia, "heliotrope") == []
    for item in adam.get("/quarantine").json()["items"]:
        assert adam.post(f"/quarantine/{item['id']}/release", {"reason": "ours"}).status_code == 200
    derive()
    assert seen(mia, photo) == 302
    assert texts(mia, "heliotrope") == ["letter.txt"]


def test_a_picture_that_was_drawn_before_the_find_is_shown_no_more(clamd, scanned_by, rule, mia, work, derive):
    scanned_by(clamd.url)
    rule("scan")
    photo = mia.bring("photo.png", picture("PNG") + clamav.MARKER)
    derive()
    assert seen(mia, photo) == 302
    work()
    assert mia.api.get(f"/nodes/{photo['id']}/preview").status_code != 302
    derive()
    assert mia.api.get(f"/nodes/{photo['id']}/preview").json()["reason"] == "infected"
