"""Counting downloads: what a link's limit, its log and the stream are told before a URL leaves.

A link is judged as it stands, and nothing is locked for it. What is written says once more, in its own condition, that the link is open
and has a download left, and travels with the event and the COMMIT: so the link's row is held no longer than the stream's counter. Where
somebody was quicker (the link has ended, the last download is gone, the same visitor asks twice at once) the write fails as a whole, and
all is judged again while the row is held.
"""

from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError

from apps.files.dtos import Content
from apps.links import admission, credentials, queries, sql
from apps.links.models import Link
from bitvault.events.api import publish
from bitvault.events.catalog.links import LinkDownloaded
from bitvault.kernel import clock, db, ids
from bitvault.kernel.errors import NotFound
from bitvault.kernel.request import Visitor

RESUMED_WITHIN = timedelta(hours=24)
"""How long a program without cookies may ask for a later part of what it has begun to fetch."""


def count_download(*, link_id: UUID, visitor: Visitor, node_id: UUID, content: Content) -> None:
    """Write down that a visitor may fetch a version, and count it unless they have had it."""
    try:
        _count(link_id, visitor, node_id, content, is_held=False)
    except IntegrityError:
        _count(link_id, visitor, node_id, content, is_held=True)


def require_download(*, link_id: UUID, visitor: Visitor, content: Content) -> None:
    """Refuse somebody who could not download a version now; counts nothing."""
    with admission.naming_maker() as looked_at, db.read_transaction():
        row, has_had = _find(link_id, visitor, content.version_id, is_held=False)
        looked_at.append(row)
        admission.require_open(row, used_up=not has_had)


def _count(link_id: UUID, visitor: Visitor, node_id: UUID, content: Content, *, is_held: bool) -> None:
    with admission.naming_maker() as looked_at, db.write_transaction() as tx:
        row, has_had = _find(link_id, visitor, content.version_id, is_held=is_held)
        looked_at.append(row)
        admission.require_open(row, used_up=not has_had)
        tx.run_with_next(
            sql.NOTE_REPEATED if has_had else sql.NOTE_COUNTED,
            {
                "id": ids.new_id(),
                "link_id": row.id,
                "now": clock.now(),
                "node_id": node_id,
                "version_id": content.version_id,
                "visitor": visitor_key(row, visitor),
                "origin": credentials.origin_key(row.id, visitor),
                "counted": not has_had,
            },
        )
        publish(
            LinkDownloaded(
                link_id=row.id,
                node_id=node_id,
                version_id=content.version_id,
                size_bytes=content.size_bytes,
                counted=not has_had,
                actor_id=row.id,
            )
        )


def _find(link_id: UUID, visitor: Visitor, version_id: UUID, *, is_held: bool) -> tuple[Link, bool]:
    """Read a link, and whether a visitor has had a version through it, inside the open transaction.

    :param is_held: nobody changes the link or counts a download of it until the transaction ends.
    :raises NotFound: there is no such link.
    """
    if is_held:
        # Whatever is read by this very statement may be older than the lock that it waits for.
        Link.objects.select_for_update(no_key=True).filter(id=link_id).first()
    known_as = (credentials.origin_key if visitor.is_new else credentials.visitor_key)(link_id, visitor)
    found = queries.find_with_whether_had(link_id, version_id, visitor=known_as)
    if found is None:
        raise NotFound
    row, has_had = found
    if visitor.is_new:
        # Where downloads are limited, somebody without a cookie is nobody who was here before.
        has_had = has_had and row.download_limit is None
        # Only the later part of a download is known again, by where it comes from: two people may come from one place.
        has_had = has_had or (
            visitor.resumes
            and queries.has_counted_from(row.id, version_id, origin=known_as, since=clock.now() - RESUMED_WITHIN)
        )
    return row, has_had


def visitor_key(row: Link, visitor: Visitor) -> bytes:
    """Tell by what a visitor is known: where downloads are limited by what their browser was given, else as well as can be."""
    if visitor.is_new and row.download_limit is None:
        return credentials.origin_key(row.id, visitor)
    return credentials.visitor_key(row.id, visitor)
