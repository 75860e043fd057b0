"""Comments: who says what, in which thread, who is told, who changes and deletes them, and what ends them."""

from uuid import uuid4

import pytest
from django.test import Client

from apps.annotations import api as annotations
from apps.annotations import errors
from apps.annotations.dtos import CommentPerson
from apps.annotations.models import Comment
from apps.annotations.operations import commenting
from apps.annotations.ui.comments import cut
from apps.files import api as files
from bitvault.kernel import db
from bitvault.kernel.errors import Forbidden, NotFound
from tests.apps.files.conftest import events
from tests.support.shares import filled, share
from tests.support.world import ACME, PASSWORD


def say(actor, node, text="Well done", **more):
    return annotations.add_comment(actor=actor, node_id=node.id, text=text, **more)


def texts(actor, node):
    page = annotations.list_comments(actor=actor, node_id=node.id)
    return [(one.text, [reply.text for reply in one.replies]) for one in page.items]


def told(kind, field="user_id"):
    return [payload[field] for name, payload in events() if name == f"annotations.{kind}.v1"]


@pytest.fixture
def commented(tree, olga, photos):
    """A folder that olga may comment on."""
    share(tree.actor, photos, olga, "commenter")
    return photos


def test_threads_are_read_by_whoever_sees_the_node_and_written_by_whoever_may_comment(tree, olga, photos):
    first = say(tree.actor, photos, "First")
    say(tree.actor, photos, "Second")
    with pytest.raises(Forbidden):
        say(olga, photos)
    with pytest.raises(NotFound):
        say(olga, tree.folder("Hidden"))
    share(tree.actor, photos, olga, "commenter")
    reply = say(olga, photos, "Indeed", reply_to_id=first.id)
    say(tree.actor, photos, "Thanks", reply_to_id=reply.id)
    assert texts(olga, photos) == [("Second", []), ("First", ["Indeed", "Thanks"])]
    assert reply.author.name == "Olga"


def test_everybody_hears_of_a_comment_once_by_what_concerns_them_most(tree, olga, adam, commented):
    mia = tree.actor
    share(mia, commented, adam, "commenter")
    first = say(olga, commented)
    assert told("comment.added", "owner_id") == [str(mia.user_id)]  # who added the folder
    say(mia, commented, reply_to_id=first.id)
    assert told("comment.added", "owner_id")[-1] is None  # her own
    say(adam, commented, "@Olga look", reply_to_id=first.id, mentions=[olga.user_id])
    assert told("comment.answered") == [str(olga.user_id), str(mia.user_id)]
    assert told("comment.answered", "is_starter") == [True, False]
    assert told("person.mentioned") == [str(olga.user_id)]
    assert told("comment.added", "owner_id")[-1] is None  # she heard of it as one of the thread


def test_who_is_named_is_told_once_and_must_be_a_member(tree, olga, commented):
    mention = [olga.user_id, olga.user_id, tree.actor.user_id]
    made = say(tree.actor, commented, "@Olga look", mentions=mention)
    assert told("person.mentioned") == [str(olga.user_id)]
    annotations.update_comment(actor=tree.actor, comment_id=made.id, text="@Olga look again", mentions=mention)
    assert told("person.mentioned") == [str(olga.user_id)]
    with pytest.raises(errors.UnknownPerson):
        say(tree.actor, commented, mentions=[uuid4()])
    with pytest.raises(errors.UnknownPerson):
        say(tree.actor, commented, mentions=[uuid4() for _ in range(commenting.MENTIONS_LIMIT + 1)])
    assert [person.name for person in made.mentions] == ["Olga", "Mia"]


def test_the_author_changes_a_comment_and_everybody_who_comments_resolves_a_thread(tree, olga, commented):
    made = say(tree.actor, commented)
    with pytest.raises(errors.CommentOfAnother):
        annotations.update_comment(actor=olga, comment_id=made.id, text="mine")
    resolved = annotations.update_comment(actor=olga, comment_id=made.id, resolved=True)
    assert resolved.resolved_by.id == olga.user_id
    before = len(events())
    annotations.update_comment(actor=olga, comment_id=made.id, resolved=True)
    assert len(events()) == before
    assert annotations.update_comment(actor=tree.actor, comment_id=made.id, resolved=False).resolved_at is None
    reply = say(olga, commented, reply_to_id=made.id)
    with pytest.raises(errors.NotAThread):
        annotations.update_comment(actor=olga, comment_id=reply.id, resolved=True)
    assert annotations.update_comment(actor=olga, comment_id=reply.id, text="Better").edited_at is not None


def test_the_author_and_who_manages_delete_a_comment_and_a_thread_takes_its_replies_along(tree, olga, adam, commented):
    made = say(olga, commented)
    say(tree.actor, commented, reply_to_id=made.id)
    other = say(tree.actor, commented, "Other")
    share(tree.actor, commented, adam, "editor")
    with pytest.raises(Forbidden):
        annotations.delete_comment(actor=adam, comment_id=made.id)
    annotations.delete_comment(actor=tree.actor, comment_id=made.id)
    assert texts(olga, commented) == [("Other", [])]
    with pytest.raises(NotFound):
        annotations.delete_comment(actor=olga, comment_id=made.id)
    with pytest.raises(NotFound):
        annotations.update_comment(actor=adam, comment_id=uuid4(), text="x")
    annotations.delete_comment(actor=tree.actor, comment_id=other.id)
    own = say(olga, commented)
    share(tree.actor, commented, olga, "viewer")
    with pytest.raises(Forbidden):
        annotations.update_comment(actor=olga, comment_id=own.id, text="x")
    annotations.delete_comment(actor=olga, comment_id=own.id)  # one's own, although one may not write any more


def test_a_list_shows_how_many_threads_are_open_to_who_may_view(tree, olga, photos):
    def shown(actor):
        return [mark.open_thread_count for mark in annotations.list_marks(actor=actor, node_ids=[photos.id])]

    assert shown(olga) == []
    first = say(tree.actor, photos)
    say(tree.actor, photos, reply_to_id=first.id)
    say(tree.actor, photos)
    assert shown(olga) == [2]
    annotations.update_comment(actor=tree.actor, comment_id=first.id, resolved=True)
    assert shown(olga) == [1]
    share(tree.actor, photos, olga, "uploader")
    assert shown(olga) == []


@pytest.mark.parametrize("text", ["", " \n ", "a\x07b", "x" * 4001])
def test_text_that_cannot_be_kept_is_refused(tree, photos, text):
    with pytest.raises(errors.CommentUnfit):
        say(tree.actor, photos, text)


def test_there_are_only_so_many_comments(tree, photos, monkeypatch):
    monkeypatch.setattr(commenting, "THREAD_LIMIT", 1)
    top = say(tree.actor, photos, "a\nfamily \U0001f468\u200d\U0001f469 of lines")
    say(tree.actor, photos, reply_to_id=top.id)
    with pytest.raises(errors.TooManyComments):
        say(tree.actor, photos, reply_to_id=top.id)


def test_comments_stay_with_the_original_outlive_the_trash_and_end_with_the_node(tree, photos, catch_up):
    say(tree.actor, photos)
    tree.trash(photos)
    with pytest.raises(NotFound):
        texts(tree.actor, photos)
    tree.restore(photos)
    assert len(texts(tree.actor, photos)) == 1
    tree.trash(photos)
    files.purge_node(actor=tree.actor, node_id=photos.id)
    catch_up()
    with db.read_transaction():
        assert not Comment.objects.exists()


@pytest.mark.parametrize("count", [3, 40])
def test_threads_take_the_same_few_queries_however_many(tree, photos, counted_queries, count):
    for _ in range(count):
        say(tree.actor, photos, reply_to_id=say(tree.actor, photos).id)
    reader = filled(tree.actor)
    annotations.list_comments(actor=reader, node_id=photos.id)
    with counted_queries() as statements:
        assert len(annotations.list_comments(actor=reader, node_id=photos.id).items) == count
    assert len(statements) <= 6, statements


def test_names_that_a_text_mentions_and_addresses_are_set_off_and_nothing_else():
    people = [CommentPerson(uuid4(), "Max"), CommentPerson(uuid4(), "Max Member")]
    pieces = [(piece.text, piece.user_id) for piece in cut("@Max Member and @Max, @Nobody", people)]
    assert pieces == [("@Max Member", people[1].id), (" and ", None), ("@Max", people[0].id), (", @Nobody", None)]
    text = "see (https://a.example/x?y=1), javascript:alert(1) http://b.example/\u202egpj.exe <b>"
    assert [piece.text for piece in cut(text, []) if piece.is_address] == [
        "https://a.example/x?y=1",
        "http://b.example/",
    ]
    assert "".join(piece.text for piece in cut(text, people)) == text


def test_comments_over_rest_and_in_the_panel(api):
    mia = api("mia")
    root_id = mia.get("/me").json()["root_id"]
    node = mia.post("/folders", {"parent_id": root_id, "name": "Reports"}).json()
    made = mia.post(f"/nodes/{node['id']}/comments", {"text": "<b>Hello</b> https://a.example/x"})
    assert made.status_code == 201
    comment = made.json()
    assert mia.get(f"/nodes/{node['id']}/comments").json()["items"] == [comment]
    assert mia.patch(f"/comments/{comment['id']}", {"resolved": True}).json()["resolved_by"]["name"] == "Mia"
    assert api("adam").patch(f"/comments/{comment['id']}", {"text": "x"}).status_code == 404
    browser = Client(headers={"host": "acme.localhost"})
    browser.post("/sign-in/", {"email": ACME.people["mia"].email, "password": PASSWORD})
    page = browser.get("/annotations/details/comments", {"ids": node["id"]}).content.decode()
    assert '&lt;b&gt;Hello&lt;/b&gt; <a href="https://a.example/x" target="_blank" rel="noopener' in page
    assert "Resolved by You" in page
    people = browser.get("/annotations/people", {"q": "ada"}).json()["items"]
    assert [person["id"] for person in people] == [str(ACME.people["adam"].user_id)]
    assert mia.delete(f"/comments/{comment['id']}").status_code == 204
    assert mia.get(f"/nodes/{node['id']}/comments").json()["items"] == []
