"""Being told of comments: as who is mentioned, as one of the thread, as the owner, as a follower; each of one comment once."""

from apps.annotations import api as annotations
from apps.notifications.models import Entry
from bitvault.kernel import db
from tests.support.shares import share, share_only


def say(actor, node, text="Well done", **more):
    return annotations.add_comment(actor=actor, node_id=node.id, text=text, **more)


def test_each_hears_of_a_comment_by_what_concerns_them_most(tree, teller, olga, vera, adam):
    photos = tree.folder("Photos")
    for who in (olga, vera, adam):
        share(tree.actor, photos, who, "commenter")
    before = {who.user_id: len(teller.texts(who)) for who in (olga, vera, adam)}
    teller.follow(adam, photos)
    thread = say(olga, photos)
    assert teller.texts(tree.actor) == ["Olga commented on Photos"]
    assert teller.texts(adam)[0] == "Olga commented on Photos"
    assert len(teller.texts(vera)) == before[vera.user_id]
    say(tree.actor, photos, reply_to_id=thread.id, mentions=[vera.user_id])
    assert teller.texts(olga)[0] == "Mia replied to your comment on Photos"
    assert teller.texts(vera)[0] == "Mia mentioned you in a comment on Photos"
    say(olga, photos, reply_to_id=thread.id)
    assert teller.texts(tree.actor) == ["Olga replied to a comment on Photos after you", "Olga commented on Photos"]
    assert "Olga commented on Photos" in teller.activity(tree.actor, photos)


def test_comments_of_an_hour_are_one_line_and_lead_to_the_comments(tree, teller, olga):
    photos = tree.folder("Photos")
    share(tree.actor, photos, olga, "commenter")
    say(olga, photos)
    say(olga, photos)
    (notice,) = teller.notices(tree.actor).items
    assert (notice.text, notice.count, notice.topic) == ("Olga commented on Photos", 2, "comments")
    assert notice.node.id == photos.id
    (mail,) = teller.mails()
    assert f"/files/{photos.id}/#comments={photos.id}" in mail.body


def test_who_is_mentioned_but_does_not_see_the_node_hears_nothing(tree, teller, olga, vera):
    photos = tree.folder("Photos")
    say(tree.actor, photos, mentions=[vera.user_id])
    assert teller.texts(vera) == []
    assert teller.mails() == []
    share(tree.actor, photos, vera, "viewer")
    assert "Mia mentioned you in a comment on Photos" in teller.texts(vera)
    share_only(tree.actor, photos)
    assert teller.texts(vera) == []


def test_an_entry_holds_nothing_of_the_text(tree, teller, olga, photos):
    say(tree.actor, photos, "top secret", mentions=[olga.user_id])
    teller.catch_up()
    with db.read_transaction():
        rows = list(Entry.objects.filter(kind__in=["commented", "mentioned"]).values_list("kind", "name", "facts"))
    assert sorted(rows) == [("commented", "", {}), ("mentioned", "", {})]
