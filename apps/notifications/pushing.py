"""Pushing: one message to one browser. Whether it may be told, and whether it is wanted now, is judged when it is sent.

Between a request and its row nothing is noted: a worker that dies there is followed by another, which sends the message again. It has the
same tag and topic, by which push services and browsers replace the first one.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

import msgspec
from django.conf import settings
from django.utils import translation
from django.utils.translation import ngettext

from apps.notifications import audience, browsers, holding, hours, judging, pushes, queries, webpush
from apps.notifications.models import Browser, Delivery, Reader
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, sealing
from bitvault.kernel.actor import Actor
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import Overloaded, ServiceDown
from bitvault.kernel.outbound import egress

WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6))
"""Between the tries of a message; the last one again and again."""

LIFETIME = timedelta(days=1)
"""How old a message may be that is sent, or kept by the push service: what was yesterday stands in the browser."""

LINES = 3
"""What one message after quiet hours tells of; of the rest it says how many."""

LINE_BYTES = 500
"""Of a line: push services take 4,096 bytes in all, and what is quoted may be twice as long."""

_GONE = frozenset({404, 410})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNANSWERED = frozenset({"address_unknown", "connection", "timeout", "certificate", "protocol"})


class Message(msgspec.Struct, frozen=True):
    """What the browser's worker shows. ``tag``: a later message with the same one replaces it. ``path``: what a click opens."""

    title: str
    body: str
    tag: str
    path: str
    lang: str
    at: int
    """When it was, in milliseconds since 1970, as scripts count."""


class _Unanswered(Exception):
    """A push service has not answered."""

    def __init__(self, answer: egress.Answer) -> None:
        super().__init__(answer.failure)
        self.answer = answer


def push(payload: pushes.Push, run: jobs.Run) -> None:
    """Send a message to a browser, and settle what follows: it is taken, tried again, or the browser is forgotten."""
    with db.read_transaction():
        delivery = Delivery.objects.filter(pk=payload.delivery_id).first()
        browser = Browser.objects.filter(pk=payload.browser_id).first()
    if delivery is None or browser is None or clock.now() - delivery.created_at > LIFETIME:
        return
    recipient = audience.find_recipient(delivery.user_id) if browser.user_id == delivery.user_id else None
    if recipient is None or not browsers.find_signed_in([browser]):
        return
    with db.read_transaction():
        reader = Reader.objects.filter(pk=delivery.user_id).first()
    if (quiet_until := hours.find_end(reader, recipient.time_zone)) is not None:
        with db.write_transaction():
            pushes.try_again(payload, at=quiet_until)
            run.complete()
        return
    # In this browser nobody is told that it has signed in.
    actor = replace(recipient.actor, session_id=browser.credential_id)
    with translation.override(recipient.locale or None):
        message = _compose(actor, delivery)
    if message is not None:
        _settle(run, payload, browser, _send(browser, delivery, message))


def _compose(actor: Actor, delivery: Delivery) -> Message | None:
    """Say what a delivery tells of at this moment; ``None``: of nothing that they may see, want pushed and have not read."""
    told = _list_told(actor, delivery)
    if not told:
        return None
    latest, language = told[0], translation.get_language() or settings.LANGUAGE_CODE
    if delivery.entry_id is not None:
        body, path = _cut(latest.text), _path_of(latest)
    else:
        lines = [_cut(one.text) for one in told[:LINES]]
        if more := len(told) - len(lines):
            lines.append(ngettext("and %(count)s more", "and %(count)s more", more) % {"count": more})
        body, path = "\n".join(lines), "/notifications/"
    return Message(
        title=actor.tenant.name,
        body=body,
        tag=_tag_of(delivery),
        path=path,
        lang=language,
        at=int(latest.occurred_at.timestamp() * 1000),
    )


def _list_told(actor: Actor, delivery: Delivery) -> Sequence[judging.Told]:
    if delivery.entry_id is None:
        return holding.list_told(actor, delivery)
    with db.read_transaction():
        wishes = queries.read_wishes(actor)
        entry = queries.find_unread(wishes, actor.user_id, delivery.entry_id)
    if entry is None or not wishes.preferences[wishes.topic_of(entry)].push:
        return []
    return list(queries.judge(actor, wishes, [entry]).values())


def _cut(text: str) -> str:
    data = text.encode()
    return text if len(data) <= LINE_BYTES else data[:LINE_BYTES].decode(errors="ignore") + "…"


def _path_of(told: judging.Told) -> str:
    """Give what a click opens; the page marks the notice as read that its address names."""
    path, hash_sign, anchor = (told.path or "/notifications/").partition("#")
    return f"{path}?notice={told.entry.id}{hash_sign}{anchor}"


def _tag_of(delivery: Delivery) -> str:
    return (delivery.entry_id or delivery.id).hex


def _send(browser: Browser, delivery: Delivery, message: Message) -> egress.Answer:
    try:
        target = webpush.Target.unseal(browser.target)
    except sealing.Unreadable:
        return egress.Answer(duration_ms=0, failure="secret_unreadable")
    body = webpush.encrypt(msgspec.json.encode(message), target)
    left = LIFETIME - (clock.now() - delivery.created_at)
    headers = webpush.headers_for(target, topic=_tag_of(delivery), lifetime=left)
    service = _service(target.address.split("/", 3)[2])
    try:
        with service.held():
            return _post(target.address, body, headers)
    except _Unanswered as unanswered:
        return unanswered.answer
    except (Overloaded, ServiceDown):
        return egress.Answer(duration_ms=0, failure="timeout")


def _post(address: str, body: bytes, headers: dict[str, str]) -> egress.Answer:
    answer = egress.post(address, body, headers)
    if answer.failure in _UNANSWERED:
        raise _Unanswered(answer)
    return answer


@lru_cache(maxsize=64)
def _service(host: str) -> Dependency:
    """Give the share that a push service has of this process's threads: one that does not answer keeps no webhook waiting.

    :param host: by which one is told from another.
    """
    return Dependency("push", share=3, failures=(_Unanswered,), failure_count=3, rest_seconds=30)


def _settle(run: jobs.Run, payload: pushes.Push, browser: Browser, answer: egress.Answer) -> None:
    now = clock.now()
    with db.write_transaction():
        row = Browser.objects.select_for_update().filter(pk=browser.pk).first()
        if row is not None and answer.is_success:
            row.told_at, row.failing_since = now, None
            row.save(update_fields=["told_at", "failing_since"])
        elif row is not None and bytes(row.address_hash) == bytes(browser.address_hash):
            if answer.status in _GONE or answer.failure == "secret_unreadable":
                row.delete()
            else:
                row.failing_since = row.failing_since or now
                row.save(update_fields=["failing_since"])
                if answer.failure in _UNANSWERED or answer.status in _PASSING:
                    wait = max(
                        WAITS[min(payload.number, len(WAITS) - 1)], timedelta(seconds=answer.retry_after_seconds)
                    )
                    pushes.try_again(payload, at=now + wait)
        run.complete()
