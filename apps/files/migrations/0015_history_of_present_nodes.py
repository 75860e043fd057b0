"""History of nodes that were there before: it begins now, with what they are. Steps, so that a run that is killed goes on.

What the consumer reads of the stream from before is passed over: these rows begin at the stream's head.
"""

from uuid import UUID

from django.db import migrations

from bitvault.events.api import get_head
from bitvault.kernel import tenancy

STEP = 5000

STATEMENT = """
WITH step AS (SELECT * FROM files_node WHERE id > %s ORDER BY id LIMIT %s),
written AS (
    INSERT INTO files_placement (node_id, from_seq, from_at, state, kind, parent_id, name, sort_key, version_id, revision,
        changes_content, changes_place, request_id)
    SELECT step.id, %s, now(), CASE WHEN step.trashed_at IS NULL THEN 0 ELSE 1 END, step.kind, step.parent_id, step.name,
        step.sort_key, step.version_id, step.revision, false, false, ''
    FROM step
    ON CONFLICT DO NOTHING
)
SELECT id FROM step ORDER BY id DESC LIMIT 1
"""


def begin_history(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT current_schema(), EXISTS (SELECT FROM files_node)")
        schema, is_there = cursor.fetchone()
    if not is_there:
        return
    with tenancy.entered(tenancy.Tenant(UUID(hex=schema.removeprefix("t_")), slug="", name="")):
        head = get_head()
    after = UUID(int=0)
    while after is not None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(STATEMENT, [after, STEP, head])
            row = cursor.fetchone()
        after = row[0] if row else None


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("files", "0014_history"),
        ("events", "0007_token_of_events"),
    ]

    operations = [
        migrations.RunPython(begin_history, migrations.RunPython.noop, hints={"plane": "tenant"}),
    ]
