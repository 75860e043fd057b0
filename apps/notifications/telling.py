"""What follows an entry: where it lies, and what is mailed and pushed because of it. Done by a job, for people are many and Files is asked.

An entry is told of once: its mails are rows with a unique key, each written with its job by one transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from apps.billing import api as billing
from apps.billing.dtos import Quota
from apps.files import api as files
from apps.notifications import audience, hours, pushes
from apps.notifications.dtos import Topic, Way
from apps.notifications.models import HEADS, Delivery, Entry, Preference, Reader, Subscription, Threshold
from apps.notifications.topics import ADMINISTRATORS_ID, ON_NODES, OWN, USUAL, topic_of
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, ids
from bitvault.mail import api as mail

KIND = "notifications.tell"
NOTICE = "notifications.notice"

BATCH = 100
"""Entries that are placed at once."""

PEOPLE_BATCH = 500
"""People for whom one transaction writes mails down."""

MAILED_FOR = timedelta(days=1)
"""An entry that is older when the job comes to it causes no mail: a stream that is read from its beginning is no news."""

LEVELS = (80, 95, 100)
"""Percent of a quota or limit of which people are told."""

FALL = 5
"""How many points below a level usage falls before it is told of again."""


class Tell(msgspec.Struct, frozen=True):
    """Up to which number of the stream there is something to tell."""

    seq: int


def request(seq: int) -> None:
    """Ask for the job, in the open transaction of the consumer."""
    jobs.enqueue(KIND, Tell(seq=seq), key=str(seq), by=jobs.SYSTEM)


def tell() -> int:
    """Tell of all entries that are not told yet; returns how many. Repeatable, also beside another that does the same."""
    count = 0
    _check_quotas()
    while entries := _place():
        for entry in entries:
            _tell_one(entry)
        count += len(entries)
    return count


def _place() -> list[Entry]:
    """Note where the next entries lie; an entry whose node is gone already lies nowhere."""
    with db.read_transaction():
        entries = list(Entry.objects.filter(HEADS, is_told=False).order_by("seq")[:BATCH])
    wanted = [entry for entry in entries if entry.ancestor_ids is None]
    starts = {entry.id: entry.folder_id or entry.node_id for entry in wanted}
    found = files.list_ancestries(node_ids={one for one in starts.values() if one is not None})
    for entry in wanted:
        start = starts[entry.id]
        above = [] if start is None else found.get(start, [])
        own = [] if entry.node_id is None else [entry.node_id]
        entry.ancestor_ids = list(dict.fromkeys([*own, *above]))
    if wanted:
        with db.write_transaction():
            Entry.objects.bulk_update(wanted, ["ancestor_ids"])
    return entries


def _tell_one(entry: Entry) -> None:
    """Write down the mails that an entry causes, and whose digest it comes into."""
    if clock.now() - entry.occurred_at < MAILED_FOR:
        for topic, user_ids in _audiences(entry):
            for start in range(0, len(user_ids), PEOPLE_BATCH):
                _write(entry, topic, user_ids[start : start + PEOPLE_BATCH])
    with db.write_transaction():
        Entry.objects.filter(pk=entry.pk).update(is_told=True)


def _audiences(entry: Entry) -> Iterator[tuple[Topic, Sequence[UUID]]]:
    """Say who hears of an entry, under which topic; rights are judged when the mail is written."""
    direct: list[UUID] = []
    if entry.audience_id is not None:
        direct = audience.list_people(entry.audience_id, is_group=entry.facts.get("to") == "group")
        yield topic_of(entry.kind, is_direct=True), _without_doer(entry, direct)  # type: ignore[arg-type] # holds no other
    if entry.kind in ON_NODES:
        with db.read_transaction():
            rows = Subscription.objects.filter(
                node_id__in=entry.ancestor_ids or [], follows=True, since_seq__lt=entry.last_seq
            )
            followers = sorted(set(rows.values_list("user_id", flat=True)) - set(direct))
        yield "followed", [one for one in followers if one != entry.actor_id]


def is_mailed_elsewhere(entry: Entry) -> bool:
    """Tell whether a mail of an entry is somebody else's: Sharing writes to whom a share names, with the giver's words, if they want it."""
    return entry.kind == "shared" and entry.facts.get("to") == "user"


def _without_doer(entry: Entry, user_ids: Sequence[UUID]) -> list[UUID]:
    return [one for one in user_ids if entry.kind in OWN or one != entry.actor_id]


def _write(entry: Entry, topic: Topic, user_ids: Sequence[UUID]) -> None:
    """Write mails down for some people, and what is pushed to their browsers, in one transaction; what is there already is left alone.

    What comes to somebody who has quiet hours is held; ``holding`` sends it.
    """
    is_mailed = not is_mailed_elsewhere(entry)
    with db.read_transaction():
        chosen = {row.user_id: row for row in Preference.objects.filter(user_id__in=user_ids, topic=topic)}
        pushed = [one for one in pushes.find_reached(user_ids) if pushes.is_wanted(chosen.get(one), topic)]
    wanted = defaultdict(list)
    for user_id in user_ids if is_mailed else ():
        wanted[chosen[user_id].mail if user_id in chosen else USUAL[topic].mail].append(user_id)
    quiet = hours.find_quiet({*wanted["at_once"], *pushed})
    with db.write_transaction():
        # Another job that tells of the same one ends here, and begins again.
        mails = _write_deliveries(entry, wanted["at_once"], quiet, way="mail")
        mail.send_all(NOTICE, references=[delivery.id for delivery in mails if not delivery.is_held])
        pushes.send_all([one for one in _write_deliveries(entry, pushed, quiet, way="push") if not one.is_held])
        note_digests(wanted["daily"], wanted["weekly"])


def _write_deliveries(entry: Entry, user_ids: Sequence[UUID], quiet: Collection[UUID], *, way: Way) -> list[Delivery]:
    """Write down in the open transaction what comes to some people by one way; returns the deliveries that are new."""
    key = entry.id.hex if way == "mail" else f"push:{entry.id.hex}"
    known = set(Delivery.objects.filter(user_id__in=user_ids, key=key).values_list("user_id", flat=True))
    new = [
        Delivery(user_id=one, key=key, way=way, entry_id=entry.id, is_held=one in quiet, created_at=clock.now())
        for one in user_ids
        if one not in known
    ]
    return Delivery.objects.bulk_create(new)


def note_digests(daily: Sequence[UUID], weekly: Sequence[UUID]) -> None:
    """Note whose digests are coming, in the open transaction; most of a busy folder's followers are noted already."""
    if not daily and not weekly:
        return
    Reader.objects.bulk_create([Reader(user_id=one) for one in sorted({*daily, *weekly})], ignore_conflicts=True)
    Reader.objects.filter(user_id__in=daily, wants_digest=False).update(wants_digest=True)
    Reader.objects.filter(user_id__in=weekly, weekly_since__isnull=True).update(weekly_since=clock.now())


# --- quotas ----------------------------------------------------------------------------------------------------------------


def _check_quotas() -> None:
    """Tell once that a part of the vault's room, or of a member's or team folder's limit, is passed, and again when it had fallen below."""
    percents = {quota.scope: _percent_of(quota) for quota in (billing.get_quota(), *billing.list_reachable_limits())}
    with db.read_transaction():
        told = dict(Threshold.objects.filter(pk__in=percents).values_list("scope", "percent"))
    for scope, percent in percents.items():
        before = told.get(scope, 0)
        reached = max((level for level in LEVELS if percent >= level), default=0)
        kept = max((level for level in LEVELS if level <= before and percent >= level - FALL), default=0)
        if reached != before and (reached > before or kept != before):
            _tell_level(scope, before, reached, kept)


def _percent_of(quota: Quota) -> int:
    return 100 if quota.limit_bytes == 0 else quota.used_bytes * 100 // quota.limit_bytes


def _tell_level(scope: str, before: int, reached: int, kept: int) -> None:
    with db.write_transaction():
        Threshold.objects.bulk_create([Threshold(scope=scope)], ignore_conflicts=True)
        row = Threshold.objects.select_for_update().get(pk=scope)
        if row.percent != before:
            return
        row.percent = max(reached, kept)
        row.save(update_fields=["percent"])
        if reached > before:
            _insert_quota(scope, reached)


def _insert_quota(scope: str, percent: int) -> None:
    """Write down that a level is passed, as of the last entry: so it stands where lists begin.

    Members are told of their own limit, administrators of the vault's and of team folders'.
    """
    kind, _colon, subject = scope.partition(":")
    last = Entry.objects.filter(HEADS).order_by("-last_seq").values_list("last_seq", flat=True).first() or 0
    now = clock.now()
    Entry.objects.create(
        id=ids.new_id(),
        seq=last,
        kind="quota",
        audience_id=UUID(subject) if kind == "user" else ADMINISTRATORS_ID,
        facts={"percent": percent, "of": kind},
        occurred_at=now,
        last_seq=last,
        last_at=now,
    )
