"""Any node can be a scope: which ones were shared, sets of scopes that cursors name, and the inner nodes of a snapshot.

The table of sharing is read here this once. Where old code goes on granting permissions beside this, a rebuild of sync makes up for it.
Snapshots of older code begin at roots alone, and go; so do its cursors, by their name.
"""

import django.contrib.postgres.fields
from django.db import migrations, models

TAKE = """
INSERT INTO sync_shared_node (node_id, seq)
SELECT DISTINCT node_id, coalesce((SELECT seq FROM sync_feed), 0) FROM sharing_permission WHERE principal_kind <> 'link'
ON CONFLICT (node_id) DO NOTHING
"""


def drop_snapshots(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DELETE FROM sync_snapshot_item")
        cursor.execute("DELETE FROM sync_snapshot")


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0006_masks"),
        ("sharing", "0002_take_team_members"),
    ]

    operations = [
        migrations.CreateModel(
            name="SharedNode",
            fields=[
                ("node_id", models.UUIDField(primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField()),
            ],
            options={"db_table": "sync_shared_node"},
        ),
        migrations.CreateModel(
            name="ScopeSet",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("content", models.TextField()),
                ("used_at", models.DateTimeField()),
            ],
            options={
                "db_table": "sync_scope_set",
                "indexes": [models.Index(fields=["used_at"], name="sync_scope_set_used")],
            },
        ),
        migrations.AddField(
            model_name="snapshot",
            name="inner_ids",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), db_default=[], size=None),
        ),
        migrations.AddField(
            model_name="snapshot",
            name="inner_masks",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.SmallIntegerField(), db_default=[], size=None
            ),
        ),
        migrations.RunPython(drop_snapshots, migrations.RunPython.noop, hints={"plane": "tenant"}),
        migrations.RunSQL(TAKE, migrations.RunSQL.noop, hints={"plane": "tenant"}),
    ]
