"""The pages of notifications, as the server writes them."""

import pytest
from django.test import Client

from apps.notifications import api as notifications
from apps.notifications import leaving
from bitvault.kernel import tenancy
from tests.support.world import ACME


@pytest.fixture
def address(db, acme):
    """The path that switches the mails of what is followed off for Olga."""
    with tenancy.entered(acme):
        return leaving.make_path(ACME.people["olga"].user_id, "followed")


@pytest.fixture
def mail_program():
    """Whoever sends no cookie, from a browser's point of view, and checks CSRF as a browser would be checked."""
    return Client(headers={"host": "acme.localhost"}, enforce_csrf_checks=True)


def mode(acme, make_actor):
    with tenancy.entered(acme):
        chosen = notifications.get_preferences(actor=make_actor("olga")).items
    return next(one.mail for one in chosen if one.topic == "followed")


def test_looking_at_the_address_in_a_mail_changes_nothing(address, mail_program, acme, make_actor):
    answer = mail_program.get(address)
    assert answer.status_code == 200
    assert "Unsubscribe from these mails?" in answer.content.decode()
    assert mode(acme, make_actor) == "daily"


def test_one_post_of_a_mail_program_switches_such_mails_off(address, mail_program, acme, make_actor):
    for _ in range(2):
        answer = mail_program.post(
            address, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == 200
        assert "You are unsubscribed" in answer.content.decode()
    assert mode(acme, make_actor) == "off"


def test_an_address_of_another_vault_is_not_found(address, db):
    stranger = Client(headers={"host": "beta.localhost"})
    assert stranger.get(address).status_code == 404
    assert stranger.post(address).status_code == 404


@pytest.mark.parametrize("path", ["/notifications/", "/notifications/panel/", "/activity/", "/settings/notifications/"])
def test_pages_are_for_members(db, path):
    answer = Client(headers={"host": "acme.localhost"}).get(path)
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/sign-in/")
