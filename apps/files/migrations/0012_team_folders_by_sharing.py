"""Team folders have a mark of their own; their lists and their word for everyone are permissions by now (``sharing`` 0002).

Old code cannot run beside this: it would judge by lists that nobody keeps any more. Requests are stopped while it runs.
"""

from django.db import migrations, models

_ONE_THING = (
    models.Q(owner_user_id__isnull=False, is_team_folder=False, parent__isnull=True, trashed_at__isnull=True)
    | models.Q(owner_user_id__isnull=True, is_team_folder=True, parent__isnull=True)
    | models.Q(owner_user_id__isnull=True, is_team_folder=False, parent__isnull=False, trashed_at__isnull=True)
    | models.Q(owner_user_id__isnull=True, is_team_folder=False, parent__isnull=True, trashed_at__isnull=False)
)
_KIND = models.Q(kind=0, version_id__isnull=True, size_bytes=0) | models.Q(
    kind=1, version_id__isnull=False, child_count=0, owner_user_id__isnull=True
) & models.Q(is_team_folder=False)


def mark(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("UPDATE files_node SET is_team_folder = true WHERE everyone_right IS NOT NULL")


class Migration(migrations.Migration):
    dependencies = [
        ("files", "0011_versions_by_blob"),
        ("sharing", "0002_take_team_members"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="node", name="files_node_hangs_from_one_thing"),
        migrations.RemoveConstraint(model_name="node", name="files_node_kind"),
        migrations.AddField(model_name="node", name="is_team_folder", field=models.BooleanField(db_default=False)),
        migrations.RunPython(mark, migrations.RunPython.noop, hints={"plane": "tenant"}),
        migrations.RemoveConstraint(model_name="node", name="files_node_team_name_unique"),
        migrations.RemoveIndex(model_name="node", name="files_node_team_ended"),
        migrations.RemoveField(model_name="node", name="everyone_right"),
        migrations.AddIndex(
            model_name="node",
            index=models.Index(
                condition=models.Q(is_team_folder=True, trashed_at__isnull=False),
                fields=["-trashed_at"],
                name="files_node_team_ended",
            ),
        ),
        migrations.AddConstraint(
            model_name="node",
            constraint=models.UniqueConstraint(
                condition=models.Q(is_team_folder=True, trashed_at__isnull=True),
                fields=("name_key",),
                name="files_node_team_name_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="node",
            constraint=models.CheckConstraint(condition=_ONE_THING, name="files_node_hangs_from_one_thing"),
        ),
        migrations.AddConstraint(
            model_name="node", constraint=models.CheckConstraint(condition=_KIND, name="files_node_kind")
        ),
        migrations.DeleteModel(name="TeamMember"),
    ]
