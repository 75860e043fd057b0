"""The page of conflicts: what it shows, at what cost, and what strangers get instead."""

import re

import pytest
from django.test import Client

from bitvault.kernel import tenancy
from tests.apps.files.conftest import Tree
from tests.apps.files.test_ui import HOST, browser  # noqa: F401 - the second is a fixture
from tests.apps.sync.following import project
from tests.support.shares import grant, make_team


@pytest.fixture
def clash(make_actor, acme, browser):  # noqa: F811 - the fixture
    """Let edits meet in somebody's tree."""

    def make(*names, who="mia"):
        with tenancy.entered(acme):
            tree = Tree(make_actor(who))
            for name in names:
                file = tree.file(name)
                tree.write(file, b"first")
                tree.write(file, b"second", made_on="Laptop")
            project()

    return make


@pytest.mark.parametrize("count", [10, 60])
def test_the_page_takes_the_same_few_queries_however_many_there_are(browser, clash, counted_queries, count):  # noqa: F811
    clash(*(f"{number}.txt" for number in range(count)))
    browser.get("/conflicts/")
    with counted_queries() as statements:
        answer = browser.get("/conflicts/")
    assert answer.content.count(b'class="panel conflict"') == min(count, 50)
    assert len(statements) <= 8, statements


def test_older_conflicts_are_on_the_next_page_and_each_is_shown_once(browser, clash):  # noqa: F811
    clash(*(f"{number}.txt" for number in range(60)))
    first = browser.get("/conflicts/")
    second = browser.get(first.context["more_href"])
    shown = [card.title for page in (first, second) for card in page.context["cards"]]
    assert sorted(shown) == sorted(f"{number}.txt" for number in range(60))
    assert second.context["more_href"] is None


def test_names_are_shown_as_text_and_nothing_is_inline(browser, clash):  # noqa: F811
    clash("<img src=x>.txt")
    answer = browser.get("/conflicts/")
    page = answer.content.decode()
    assert "<img" not in page
    assert "&lt;img src=x&gt;" in page
    assert " style=" not in page
    assert not re.search(r"<[^>]*\son\w+=", page)
    assert "'unsafe-" not in answer["Content-Security-Policy"]


def test_a_copy_without_its_original_is_called_as_that_was(browser, clash, api, acme):  # noqa: F811
    clash("plan.txt")
    mia = api("mia")
    original = next(node for node in mia.get("/nodes/root/children").json()["items"] if node["name"] == "plan.txt")
    mia.delete(f"/nodes/{original['id']}")
    with tenancy.entered(acme):
        project()
    (card,) = browser.get("/conflicts/").context["cards"]
    assert (card.title, card.original) == ("plan.txt", None)


def test_in_a_team_folder_a_copy_tells_whose_it_is(browser, make_actor, acme):  # noqa: F811
    with tenancy.entered(acme):
        adam = Tree(make_actor("adam"))
        team = make_team(adam.actor, "Team", grant("everyone", "editor"))
        file = adam.file("plan.txt", team)
        adam.write(file, b"first")
        adam.write(file, b"second", made_on="Laptop")
        project()
    (card,) = browser.get("/conflicts/").context["cards"]
    assert (card.title, card.sender, card.may_settle) == ("plan.txt", "Adam", True)


def test_nobody_sees_anothers_conflicts(browser, clash):  # noqa: F811
    clash("canary.txt", who="adam")
    answer = browser.get("/conflicts/")
    assert answer.context["cards"] == []
    assert "canary" not in answer.content.decode()


def test_whoever_is_not_signed_in_is_sent_to_sign_in(db):
    answer = Client(headers={"host": HOST}).get("/conflicts/")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=%2Fconflicts%2F")
