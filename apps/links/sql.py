"""Statements of every visit and of every download through a link, each one round trip; all others of links are querysets.

Through the ORM a download took up to eleven messages to the database, and now takes five; it held the link's row for four of them, and now
for as long as the stream's counter (docs/decisions/0080). With that its CPU went from 3.7 ms of the web to 1.8, and of PostgreSQL from 1.3
to 0.9. ``benchmarks/links.py`` has the row.
"""

from apps.links.models import Action, FileRequest, Link

LINK_FIELDS = [field.attname for field in Link._meta.concrete_fields]  # noqa: SLF001 - public in all but name
REQUEST_FIELDS = [field.attname for field in FileRequest._meta.concrete_fields]  # noqa: SLF001 - as above

_LINK = ", ".join(f"link.{field}" for field in LINK_FIELDS)
_REQUEST = ", ".join(f"request.{field}" for field in REQUEST_FIELDS)

LINK_OF_ADDRESS = f"""
SELECT {_LINK}, {_REQUEST} FROM links_link link LEFT JOIN links_request request ON request.link_id = link.id
WHERE link.token_hash = %(token_hash)s
"""

# With whether the visitor has had the version: what judging a download needs, and no lock.
LINK_AND_WHETHER_HAD = f"""
SELECT {_LINK}, EXISTS (
    SELECT FROM links_access access
    WHERE access.link_id = link.id AND access.version_id = %(version_id)s AND access.visitor = %(visitor)s AND access.counted
)
FROM links_link link WHERE link.id = %(link_id)s
"""

_IS_OPEN = """
    id = %(link_id)s AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > %(now)s) AND (starts_at IS NULL OR starts_at <= %(now)s)
"""

# Without a link that is open and has a download left there is no `link_id`, and the insert fails with all that belongs to it.
_NOTE = f"""
INSERT INTO links_access (id, link_id, action, accessed_at, node_id, version_id, visitor, origin, counted)
SELECT %(id)s::uuid, link.id, '{Action.DOWNLOADED.value}', %(now)s::timestamptz, %(node_id)s::uuid, %(version_id)s::uuid,
    %(visitor)s::bytea, %(origin)s::bytea, %(counted)s::boolean
FROM (VALUES (1)) AS one LEFT JOIN link ON true
"""

NOTE_COUNTED = f"""
WITH link AS (
    UPDATE links_link SET download_count = download_count + 1
    WHERE {_IS_OPEN} AND (download_limit IS NULL OR download_count < download_limit)
    RETURNING id
)
{_NOTE}
"""

NOTE_REPEATED = f"""
WITH link AS (SELECT id FROM links_link WHERE {_IS_OPEN})
{_NOTE}
"""
