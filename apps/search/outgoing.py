"""What is to be sent to OpenSearch, where it is chosen: noted by whoever changes a document, in the same transaction.

Nodes are noted, not what they are: who sends reads them as they are by then, so that noting twice, sending twice and sending in another
order do no harm.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection
from django.db.models import Min

from apps.search import sql
from apps.search.models import Document, OutsideIndex, OutsideState, Unsent
from bitvault.jobs import api as jobs
from bitvault.kernel import db, ids

SEND_JOB = "search.send"
BUILD_JOB = "search.build"


class Send(msgspec.Struct, frozen=True):
    """All that is noted is to be sent."""


class Build(msgspec.Struct, frozen=True):
    """The entered tenant's index is to be built in OpenSearch, beside the one that is searched."""


def is_chosen() -> bool:
    """Whether this installation searches by OpenSearch."""
    return bool(settings.BITVAULT_SEARCH_ENGINE == "opensearch")


def find_live() -> str | None:
    """Name the server's index in which the entered tenant is searched, if it is; inside the open transaction."""
    return OutsideIndex.objects.filter(state=OutsideState.LIVE).values_list("name", flat=True).first()


def note_nodes(node_ids: Collection[UUID], *, seq: int | None) -> None:
    """Note nodes whose documents have changed (inside a write transaction), from a number of the stream on."""
    if not is_chosen():
        # What was built before this misses changes from now on.
        OutsideIndex.objects.all().delete()
        return
    sendings = list(
        OutsideIndex.objects.select_for_update(of=("self",)).order_by("part").values_list("part", "sending")
    )
    if not sendings:
        ask_for_build()
        return
    if not node_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(sql.NOTE_UNSENT, {"seq": seq, "mark": ids.new_id(), "node_ids": list(node_ids)})
    key = "-".join(f"{part.hex}:{number}" for part, number in sendings)
    jobs.enqueue(SEND_JOB, Send(), key=key, by=jobs.SYSTEM)


def note_contents(content_hashes: Iterable[str]) -> None:
    """Note the files that have some contents, whose texts have changed (inside a write transaction)."""
    if is_chosen():
        files = Document.objects.filter(content_hash__in=list(content_hashes))
        note_nodes(list(files.values_list("node_id", flat=True)), seq=None)


def ask_for_build(*, key: str = "") -> None:
    """Have the tenant's index built in OpenSearch (inside a write transaction), from what is known now on.

    :param key: what a build that runs already cannot know.
    """
    jobs.enqueue(BUILD_JOB, Build(), key=key, by=jobs.SYSTEM)


def request_build() -> bool:
    """Ask for a build in a transaction of its own; returns whether OpenSearch is chosen."""
    if is_chosen():
        with db.write_transaction():
            ask_for_build()
    return is_chosen()


def find_unsent_seq() -> int | None:
    """Tell the number of the stream from which on OpenSearch does not know everything."""
    with db.read_transaction():
        found: int | None = Unsent.objects.aggregate(first=Min("seq"))["first"]
    return found
