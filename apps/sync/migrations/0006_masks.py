"""A snapshot keeps the mask of capabilities of each root; what older code has written there are counts, and goes."""

from django.db import migrations


def drop_snapshots(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DELETE FROM sync_snapshot_item")
        cursor.execute("DELETE FROM sync_snapshot")


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0005_client_modified_at"),
    ]

    operations = [
        migrations.RunPython(drop_snapshots, migrations.RunPython.noop, hints={"plane": "tenant"}),
        migrations.RenameField(model_name="snapshot", old_name="right_counts", new_name="masks"),
    ]
