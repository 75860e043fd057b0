"""What the meter says, and what a recount of the files' own tables says."""

from apps.billing import metering
from bitvault.events import consuming
from bitvault.kernel import db, tenancy


def count_up(tenant) -> None:
    with tenancy.entered(tenant):
        consuming.consume(metering.CONSUMER)


def usage(api, **query) -> dict:
    answer = api("mia").get("/usage", **query)
    assert answer.status_code == 200
    return answer.json()


def recount(tenant) -> dict:
    """Count the files' own tables: other code than the meter's."""
    from django.db import connection

    with tenancy.entered(tenant), db.read_transaction(), connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE trashed AS (
                SELECT id FROM files_node WHERE trashed_at IS NOT NULL
                UNION ALL SELECT child.id FROM trashed JOIN files_node child ON child.parent_id = trashed.id
            )
            SELECT
                coalesce(sum(version.size_bytes) FILTER (WHERE trashed.id IS NULL), 0),
                coalesce(sum(version.size_bytes) FILTER (WHERE trashed.id IS NOT NULL), 0),
                count(version.id),
                (SELECT count(*) FROM files_node WHERE kind = 1), (SELECT count(*) FROM files_node WHERE kind = 0)
            FROM files_version version LEFT JOIN trashed ON trashed.id = version.node_id
            """
        )
        names = ("live_bytes", "trash_bytes", "version_count", "file_count", "folder_count")
        return dict(zip(names, map(int, cursor.fetchone()), strict=True))


def compare(api, tenant) -> dict:
    count_up(tenant)
    measured = usage(api)
    measured.pop("as_of_seq")
    assert measured == recount(tenant)
    return measured
