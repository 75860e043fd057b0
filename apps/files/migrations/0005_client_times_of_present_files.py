"""Give files that were there before the time that their version was sent with: in steps, so that a run that is killed goes on."""

from uuid import UUID

from django.db import migrations

STEP = 5000

STATEMENT = """
WITH step AS (SELECT id, version_id FROM files_node WHERE id > %s ORDER BY id LIMIT %s),
written AS (
    UPDATE files_node SET client_modified_at = version.client_modified_at
    FROM step JOIN files_version version ON version.id = step.version_id
    WHERE files_node.id = step.id AND files_node.version_id = step.version_id AND files_node.client_modified_at IS NULL
        AND version.client_modified_at IS NOT NULL
)
SELECT id FROM step ORDER BY id DESC LIMIT 1
"""


def take_times(apps, schema_editor):
    after = UUID(int=0)
    while after is not None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(STATEMENT, [after, STEP])
            row = cursor.fetchone()
        after = row[0] if row else None


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("files", "0004_client_modified_at"),
    ]

    operations = [
        migrations.RunPython(take_times, migrations.RunPython.noop, hints={"plane": "tenant"}),
    ]
