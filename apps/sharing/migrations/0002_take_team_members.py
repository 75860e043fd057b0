"""Take over what the lists of team folders said, and their word for everyone: permissions on the folders.

The tables of files are read here this once: they hand over what they had. One statement for each tenant, in the migration's own transaction:
a run that is killed begins again with this tenant.
"""

from django.db import migrations

# What the old columns meant: 1 was to view, 4 to edit. Masks and roles as of ``kernel.capabilities``.
TAKE = """
WITH told AS (
    SELECT member.folder_id AS node_id, 'user' AS kind, member.user_id AS principal_id, member.granted_right, node.created_by, member.granted_at
    FROM files_team_member member JOIN files_node node ON node.id = member.folder_id
    UNION ALL
    SELECT id, 'everyone', '00000000-0000-0000-0000-000000000000', everyone_right, created_by, created_at
    FROM files_node WHERE everyone_right > 0
)
INSERT INTO sharing_permission (
    id, node_id, principal_kind, principal_id, capabilities, role, expires_at, granted_by, granted_at
)
SELECT gen_random_uuid(), node_id, kind, principal_id, CASE WHEN granted_right >= 4 THEN 31 ELSE 3 END,
    CASE WHEN granted_right >= 4 THEN 'editor' ELSE 'viewer' END, NULL, created_by, granted_at
FROM told
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("sharing", "0001_initial"),
        ("files", "0009_refunds_and_displaced_nodes"),
    ]

    operations = [
        migrations.RunSQL(TAKE, migrations.RunSQL.noop, hints={"plane": "tenant"}),
    ]
