"""Sending events: signed, in their order, tried again, and never lost."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from apps.webhooks import api as webhooks
from apps.webhooks import delivering, errors, messages, outcomes, public_form, signing, waking
from apps.webhooks.models import Webhook
from bitvault.events import consuming
from bitvault.events.models import StreamEvent
from bitvault.jobs import leasing, running
from bitvault.kernel import clock, ids
from bitvault.kernel.outbound import egress
from tests.support.shares import live, share

pytestmark = pytest.mark.committed


# --- what is sent ----------------------------------------------------------------------------------------------------------


def test_an_event_is_sent_signed_and_says_its_number_and_the_one_before(sender, receiver, tree):
    webhook = sender.make(receiver)
    tree.folder("Geheim ü")
    tree.file("plan.txt")
    sender.send()
    first, second = receiver.got
    assert first.verify(webhook.secret)["type"] == "files.folder.created.v1"
    second.verify(webhook.secret)
    assert first.facts["prev_seq"] is None
    assert second.facts["prev_seq"] == first.facts["seq"]
    assert first.facts["actor_id"] == str(tree.actor.user_id)
    assert "Geheim" not in first.body.decode()
    assert "plan.txt" not in second.body.decode()
    assert first.path == "/hook"


def test_what_is_sent_is_what_is_answered_by_pull(sender, receiver, tree, olga):
    sender.make(receiver, events=["*"])
    tree.folder("a")
    sender.send()
    pulled = {str(one.id): one for one in webhooks.list_events(actor=olga, after_seq=0, limit=1000).items}
    for got in receiver.got:
        assert pulled[got.facts["id"]].data == got.facts["data"]
        assert pulled[got.facts["id"]].seq == got.facts["seq"]


@pytest.mark.parametrize("body", [b"{}", '{"a": "ü ☃ 𝄞"}'.encode(), b" " * 20_000], ids=["empty", "unicode", "long"])
def test_the_official_library_reads_our_signatures_and_refuses_what_is_altered(body):
    old, new, other = (signing.new_secret() for _ in range(3))
    assert len(base64.b64decode(new.removeprefix("whsec_"))) == 32
    for _ in range(10):
        message_id, timestamp = messages.id_of(ids.new_id()), int(clock.now().timestamp())
        signature = signing.sign([new, old], message_id=message_id, timestamp=timestamp, body=body)
        headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}
        for key in (old, new):
            signing_time = {**headers, "webhook-timestamp": str(timestamp - 400)}
            Verifier(key).verify(body or b"{}", headers) if body.strip() else None
            for altered in (signing_time, {**headers, "webhook-id": "msg_x"}):
                with pytest.raises(WebhookVerificationError):
                    Verifier(key).verify(body, altered)
            with pytest.raises(WebhookVerificationError):
                Verifier(key).verify(body + b" ", headers)
        with pytest.raises(WebhookVerificationError):
            Verifier(other).verify(body, headers)


def test_after_a_rotation_both_secrets_verify_for_a_day(sender, receiver, tree, olga, monkeypatch):
    webhook = sender.make(receiver)
    rotated = webhooks.rotate_secret(actor=olga, webhook_id=webhook.id)
    tree.folder("a")
    sender.send()
    receiver.got[0].verify(webhook.secret)
    receiver.got[0].verify(rotated.secret)
    sender.set(webhook, previous_secret_until=clock.now() - timedelta(seconds=1))
    tree.folder("b")
    sender.send()
    receiver.got[1].verify(rotated.secret)
    with pytest.raises(WebhookVerificationError):
        receiver.got[1].verify(webhook.secret)


def test_no_text_that_people_write_leaves():
    """A field with text is in the list of BitVault's own words, or does not leave; so a new one is judged first."""
    leaving = {name for names in public_form.list_types().values() for name in names}
    assert len(public_form.list_types()) > 50
    assert not leaving & {"name", "old_name", "label", "made_on", "title", "message", "email", "actor_id"}
    assert {"node_id", "parent_id", "seq", "role", "size_bytes"} <= leaving


def test_facts_that_are_too_long_are_left_out_and_said_to_be(sender, receiver, tree):
    webhook = Webhook(id=ids.new_id(), format="standard")
    tree.folder("a")
    row = StreamEvent.objects.filter(type="files.folder.created.v1").last()
    published = consuming.published_of(row)
    published.payload["capabilities"] = ["x"] * 20_000
    published.payload["node_ids"] = [str(ids.new_id())] * 1000
    event = published.__class__(
        **{
            **{name: getattr(published, name) for name in published.__slots__},
            "type": "files.node.purged.v1",
            "payload": {"node_id": "n", "purged_node_ids": ["x" * 36] * 1000, "is_last": True},
        }
    )
    body = messages.compose(webhook, event)
    assert len(body) < 20_000
    assert b'"truncated":true' in body
    assert b'"is_last":true' in body


# --- which events ----------------------------------------------------------------------------------------------------------


def test_filters_hold_together(sender, receiver, tree, olga, make_actor):
    folder = tree.folder("Shared")
    share(tree.actor, folder, olga.user_id, "editor")
    sender.actor = live(olga)
    inner = tree.folder("Inner", folder)
    sender.make(receiver, events=["files.version.committed", "files.node.*"], folder_id=folder.id)
    tree.file("outside.txt")
    tree.folder("another", folder)
    deep = tree.file("deep.txt", inner)
    sender.send()
    assert [one.facts["data"]["node_id"] for one in receiver.got] == [str(deep.id)]
    receiver.got.clear()
    by_olga = sender.make(receiver, events=["files.*"], actor_id=olga.user_id)
    tree.folder("mine")
    sender.send()
    assert receiver.got == []
    assert sender.state(by_olga).sent_seq is None


@pytest.mark.parametrize("pattern", ["files", "nothing.*", "files.node.moved.v9", "FILES.*", "*.moved", "files.**", ""])
def test_a_pattern_that_names_no_event_is_refused(sender, receiver, pattern):
    with pytest.raises(errors.EventUnknown):
        sender.make(receiver, events=["files.*", pattern])


# --- tries -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def at(monkeypatch):
    """Set the clock of BitVault, and let waits be as long as they are said to be."""
    monkeypatch.setattr(outcomes, "JITTER", 0.0)
    start = datetime.now(UTC)

    def set_to(passed=timedelta(0)):
        monkeypatch.setattr(clock, "now", lambda: start + passed)
        return start + passed

    return set_to


def test_tries_are_made_at_once_and_after_1_5_and_30_minutes_2_hours_and_a_day(sender, receiver, tree, at):
    webhook = sender.make(receiver)
    passed = timedelta(0)
    at(passed)
    tree.folder("a")
    receiver.says = [500, 503, 301, 400, 502]
    for wait in (1, 5, 30, 120, 24 * 60):
        sender.send()
        due = at(passed + timedelta(minutes=wait) - timedelta(seconds=1))
        sender.send()
        assert sender.state(webhook).next_try_at == due + timedelta(seconds=1)
        passed += timedelta(minutes=wait)
        at(passed)
    sender.send()
    assert len(receiver.got) == 6
    assert len({one.id for one in receiver.got}) == 1
    assert len({one.body for one in receiver.got}) == 1
    assert len({one.headers["webhook-timestamp"] for one in receiver.got}) == 6
    (delivery,) = sender.deliveries(webhook)
    assert (delivery.state, [one.status for one in delivery.tries]) == ("delivered", [500, 503, 301, 400, 502, 204])
    assert delivery.tries[0].answer == "said"
    assert sender.state(webhook).failing_since is None


def test_a_wait_is_spread(monkeypatch):
    waits = {outcomes._wait(1, egress.Answer(duration_ms=1)).total_seconds() for _ in range(50)}
    assert len(waits) > 10
    assert all(54 <= seconds <= 66 for seconds in waits)


def test_retry_after_is_kept(sender, receiver, tree, at):
    webhook = sender.make(receiver)
    now = at()
    tree.folder("a")
    receiver.says = [(429, {"Retry-After": "600"})]
    sender.send()
    assert sender.state(webhook).next_try_at == now + timedelta(minutes=10)
    at(timedelta(minutes=11))
    receiver.says = [(503, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"})]
    sender.send()
    assert sender.state(webhook).next_try_at == now + timedelta(minutes=11, hours=24)


def test_410_switches_a_webhook_off_and_administrators_read_why(sender, receiver, tree):
    webhook = sender.make(receiver)
    tree.folder("a")
    tree.folder("b")
    receiver.says = [410]
    sender.send(hurry=True)
    state = sender.state(webhook)
    assert (state.enabled, state.disabled_reason, len(receiver.got)) == (False, "gone", 1)
    (told,) = StreamEvent.objects.filter(type="webhooks.webhook.disabled.v1")
    assert told.payload == {"webhook_id": str(webhook.id), "reason": "gone"}


def test_after_a_day_of_outage_a_receiver_misses_nothing_and_has_all_in_order(sender, receiver, tree, at):
    sender.make(receiver)
    at()
    seqs = []
    for hour in range(27):
        at(timedelta(hours=hour))
        tree.folder(f"folder {hour}")
        seqs.append(StreamEvent.objects.filter(type="files.folder.created.v1").order_by("-seq").first().seq)
        receiver.says = [503] * 5
        receiver.got.clear() if hour < 26 else receiver.says.clear()
        sender.send()
    at(timedelta(hours=30))
    receiver.says.clear()
    sender.send()
    assert receiver.seqs()[-27:] == seqs


def test_five_days_of_failures_switch_it_off_and_switched_on_it_goes_on_where_it_was(sender, receiver, tree, at, olga):
    webhook = sender.make(receiver)
    at()
    tree.folder("a")
    for day in range(7):
        at(timedelta(days=day))
        receiver.says = [503]
        sender.send()
        if not sender.state(webhook).enabled:
            break
    assert sender.state(webhook).disabled_reason == "failing"
    tree.folder("b")
    sender.send(hurry=True)
    tried = len(receiver.got)
    receiver.says.clear()
    webhooks.change_webhook(actor=olga, webhook_id=webhook.id, changes={"enabled": True})
    sender.send()
    later = receiver.got[tried:]
    assert [one.facts["type"] for one in later] == ["files.folder.created.v1"] * 2
    assert later[0].id == receiver.got[0].id


def test_an_event_that_is_refused_at_every_try_is_given_up_and_the_next_says_which(sender, receiver, tree, at):
    webhook = sender.make(receiver)
    at()
    tree.folder("a")
    tree.folder("b")
    for hours in range(0, 6 * 25, 25):
        at(timedelta(hours=hours))
        receiver.says = [422] if hours < 5 * 25 else [422, 204]
        if hours >= 4 * 24:
            sender.set(webhook, failing_since=clock.now() - timedelta(hours=1))
        sender.send()
    newer, refused = sender.deliveries(webhook)
    assert (refused.state, len(refused.tries), newer.state) == ("failed", 6, "delivered")
    assert newer.prev_seq == refused.seq


def test_many_receivers_are_woken_in_as_many_statements_as_few(sender, receiver, tree):
    counts = []
    for more in (2, 18):
        made = [sender.make(receiver) for _ in range(more)]
        tree.folder(f"a{more}")
        with CaptureQueriesContext(connection) as queries:
            consuming.consume(waking.CONSUMER)
        counts.append(len(queries))
        sender.send()
        assert len(receiver.got) >= len(made)
    assert counts[0] == counts[1]
    assert len(receiver.got) == 2 + 20


def test_a_receiver_that_stands_still_delays_no_other(sender, receiver, tree, monkeypatch):
    monkeypatch.setattr(egress, "TOTAL_SECONDS", 3.0)
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        dead = sender.make(receiver, url=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        sender.make(receiver)
        for number in range(5):
            tree.folder(f"{number}")
        sender.send()
    assert len(receiver.got) == 5
    (delivery,) = sender.deliveries(dead)
    assert [one.failure for one in delivery.tries] == ["timeout"]


# --- again -----------------------------------------------------------------------------------------------------------------


def test_a_test_is_sent_and_wakes_what_waits_for_a_further_try(sender, receiver, tree, olga):
    webhook = sender.make(receiver)
    tree.folder("a")
    receiver.says = [503]
    sender.send()
    asked = webhooks.send_test(actor=olga, webhook_id=webhook.id)
    assert asked.state == "pending"
    sender.send()
    assert receiver.types() == ["files.folder.created.v1", "webhooks.test", "files.folder.created.v1"]
    receiver.got[1].verify(webhook.secret)
    assert {one.state for one in sender.deliveries(webhook)} == {"delivered"}


def test_a_message_is_delivered_again_under_its_id(sender, receiver, tree, olga):
    webhook = sender.make(receiver)
    tree.folder("a")
    sender.send()
    (delivery,) = sender.deliveries(webhook)
    again = webhooks.redeliver(actor=olga, webhook_id=webhook.id, delivery_id=delivery.id)
    sender.send()
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    assert again.kind == "redelivery"
    receiver.got[1].verify(webhook.secret)


def test_a_replay_sends_everything_again_in_order_and_goes_on(sender, receiver, tree, olga):
    webhook = sender.make(receiver)
    for number in range(3):
        tree.folder(f"{number}")
    sender.send()
    before = list(receiver.got)
    webhooks.replay(actor=olga, webhook_id=webhook.id, from_seq=before[1].facts["seq"])
    tree.folder("later")
    sender.send()
    replayed = receiver.got[3:]
    assert [one.id for one in replayed[:2]] == [one.id for one in before[1:]]
    assert [one.facts["prev_seq"] for one in replayed] == [None, *(one.facts["seq"] for one in replayed[:-1])]
    assert len(replayed) == 3


# --- workers that die ------------------------------------------------------------------------------------------------------


def test_a_worker_that_dies_after_the_request_is_followed_by_one_that_sends_the_same_message(
    sender, receiver, tree, desk, monkeypatch
):
    sender.make(receiver)
    for number in range(3):
        tree.folder(f"{number}")
    consuming.consume("webhooks")
    record, count = outcomes.record, []

    class Killed(BaseException):
        pass

    def dies(*args, **more):
        count.append(1)
        if len(count) == 2:
            raise Killed
        return record(*args, **more)

    monkeypatch.setattr(outcomes, "record", dies)
    job = leasing.lease("outbound")
    with pytest.raises(Killed):
        running.run_leased(job)
    desk.bury()
    desk.hurry()
    desk.run("outbound")
    seqs = receiver.seqs()
    assert seqs == sorted(seqs)
    assert len(seqs) == 4
    assert len(set(seqs)) == 3
    assert receiver.got[1].id == receiver.got[2].id
    assert receiver.got[1].body == receiver.got[2].body


def test_an_event_that_comes_while_a_job_ends_is_not_left_waiting(sender, receiver, tree, monkeypatch):
    """The consumer finds the job still running, and asks for none; the job must look again before it ends."""
    sender.make(receiver)
    tree.folder("a")
    end, done = outcomes.end, []

    def late(*args, **more):
        if not done:
            done.append(1)
            tree.folder("b")
            consuming.consume("webhooks")
        return end(*args, **more)

    monkeypatch.setattr(outcomes, "end", late)
    sender.send()
    assert len(receiver.got) == 2


def test_a_turn_ends_and_others_have_theirs(sender, receiver, tree, monkeypatch):
    monkeypatch.setattr(delivering, "TURN_SECONDS", 0.0)
    sender.make(receiver)
    for number in range(3):
        tree.folder(f"{number}")
    assert sender.send() >= 3
    assert len(receiver.got) == 3


def test_a_secret_that_cannot_be_read_switches_off_and_a_new_one_helps(sender, receiver, tree, olga):
    webhook = sender.make(receiver)
    sender.set(webhook, secret="gAAAAAB")
    tree.folder("a")
    sender.send()
    assert sender.state(webhook).disabled_reason == "secret_unreadable"
    rotated = webhooks.rotate_secret(actor=olga, webhook_id=webhook.id)
    webhooks.change_webhook(actor=olga, webhook_id=webhook.id, changes={"enabled": True})
    sender.send()
    receiver.got[0].verify(rotated.secret)


@pytest.mark.parametrize("kind", ["slack", "mattermost", "teams"])
def test_a_chat_is_told_a_sentence_without_names(sender, receiver, tree, kind):
    sender.make(receiver, format=kind)
    tree.folder("Geheim")
    sender.send()
    text = receiver.got[0].body.decode()
    assert "A folder was created." in text
    assert "Geheim" not in text
    assert "/files/" in text
    assert ("attachments" if kind == "teams" else "text") in receiver.got[0].facts
