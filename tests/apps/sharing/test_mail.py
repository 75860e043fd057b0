"""The mail to a person with whom something was shared: what it says, to whom it goes, and when none does."""

import pytest

from apps.identity import api as identity
from apps.identity.models import User
from apps.sharing import api as sharing
from apps.sharing.dtos import Grant, Principal
from bitvault.jobs.models import Job
from bitvault.kernel import db
from tests.apps.identity.posting import deliver
from tests.support.shares import filled, share
from tests.support.world import ACME


@pytest.fixture
def vera(make_actor):
    return make_actor("vera")


def test_a_person_is_told_by_whom_what_and_with_which_words(tree, vera):
    share(tree.actor, tree.folder("Plans <b>"), vera, "editor", message="Have a look.\n<script>")
    assert "Have a look" not in str([job.payload for job in Job.objects.all()])
    (letter,) = deliver()
    assert letter.to == ["vera@acme.test"]
    assert letter.subject == "Mia shared “Plans <b>” with you"
    assert "Mia (mia@acme.test) shared “Plans <b>” with you." in letter.body
    assert "Have a look.\n<script>" in letter.body
    assert "/shared/" in letter.body
    html = letter.alternatives[0][0]
    assert "<script>" not in html
    assert "Plans &lt;b&gt;" in html


def test_it_is_written_in_the_language_of_who_receives_it(tree, vera):
    User.objects.filter(pk=vera.user_id).update(locale="de")
    share(tree.actor, tree.folder("Pläne"), vera, "viewer")
    (letter,) = deliver()
    assert letter.subject == "Mia hat „Pläne“ für Sie freigegeben"


def test_nobody_is_written_to_about_what_was_taken_back_or_that_they_had(tree, vera):
    folder = tree.folder("Plans")
    given = share(tree.actor, folder, vera, "viewer")
    sharing.revoke_share(actor=filled(tree.actor), share_id=given.id)
    assert deliver() == []
    share(tree.actor, folder, vera, "viewer", notify=False)
    share(tree.actor, folder, vera, "editor")
    share(tree.actor, folder, "everyone", "viewer")
    share(tree.actor, tree.folder("Own"), tree.actor, "viewer")
    assert deliver() == []


def test_sharing_taking_away_and_sharing_again_writes_one_mail(tree, vera):
    folder = tree.folder("Plans")
    for _ in range(3):
        given = share(tree.actor, folder, vera, "viewer")
        sharing.revoke_share(actor=filled(tree.actor), share_id=given.id)
    share(tree.actor, folder, vera, "viewer")
    assert len(deliver()) <= 1


def test_an_address_that_is_not_proved_gets_no_words_of_others(tree, vera):
    User.objects.filter(pk=vera.user_id).update(email=None, claimed_email="vera@acme.test")
    share(tree.actor, tree.folder("Plans"), vera, "viewer", message="Buy")
    assert deliver() == []


def test_a_deactivated_member_is_not_written_to(tree, vera, make_actor):
    share(tree.actor, tree.folder("Plans"), vera, "viewer")
    identity.update_member(actor=make_actor("adam"), member_id=vera.user_id, state="deactivated")
    assert deliver() == []


def test_a_group_is_not_written_to(tree, make_actor):
    group = identity.create_group(actor=make_actor("adam"), name="Design")
    identity.put_group_member(actor=make_actor("adam"), group_id=group.id, user_id=ACME.people["vera"].user_id)
    principal = Principal(type="group", id=group.id)
    sharing.put_share(
        actor=tree.actor, node_id=tree.folder("Plans").id, grant=Grant(principal=principal, role="viewer")
    )
    with db.read_transaction():
        assert not Job.objects.filter(kind="mail.send").exists()
