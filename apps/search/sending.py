"""Sending what is noted to OpenSearch, into each part that the entered tenant has there."""

from typing import Literal

from django.db.models import F

from apps.search import outgoing
from apps.search.engine import CONSUMER
from apps.search.models import OutsideIndex, Unsent
from bitvault.events.api import is_outdated
from bitvault.kernel import db, tenancy

BATCH = 2_000
"""Nodes that are sent before their notes are taken away, in one request unless they have long texts: each waits for the server once."""

REFRESH: Literal["wait_for", "true"] = "wait_for"
"""Notes are taken away once their documents can be found; until then ``min_seq`` waits. The server makes them so each second."""


def send() -> int:
    """Send everything that is noted; returns how many nodes. What changes meanwhile is sent by this or by the next one.

    :raises ServiceDown: OpenSearch does not take it; all of it stays noted.
    """
    # Its libraries are loaded where it is chosen, and nowhere else.
    from apps.search.opensearch import client, indices, writing

    count = 0
    while True:
        with db.write_transaction():
            # Counted before it is read what is noted: who notes after this asks for another job.
            OutsideIndex.objects.update(sending=F("sending") + 1)
            parts = list(OutsideIndex.objects.order_by("part"))
            if parts and not any(indices.is_current(part.name) for part in parts) and not is_outdated(CONSUMER):
                # Nor is it asked for while a rebuild is to come, which asks for it at its end.
                outgoing.ask_for_build()
            rows = Unsent.objects.order_by(F("seq").asc(nulls_last=True), "node_id")
            noted = list(rows.values_list("node_id", "mark")[:BATCH])
        if not noted:
            return count
        node_ids = [node_id for node_id, _ in noted]
        if parts and outgoing.is_chosen():
            with client.lent() as opensearch:
                writing.write(opensearch, parts, tenancy.current().id, node_ids, refresh=REFRESH)
        with db.write_transaction():
            Unsent.objects.filter(node_id__in=node_ids, mark__in={mark for _, mark in noted}).delete()
        count += len(noted)
