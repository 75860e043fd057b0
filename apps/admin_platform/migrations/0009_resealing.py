"""What earlier versions of settings were sealed with changes with the installation's key; nothing else of them may."""

from django.db import migrations


class Migration(migrations.Migration):
    """See the module."""

    dependencies = [("admin_platform", "0008_anchor_copies")]

    operations = [
        migrations.RunSQL(
            "GRANT UPDATE (sealed) ON admin_platform_config_version TO bitvault",
            reverse_sql="REVOKE UPDATE (sealed) ON admin_platform_config_version FROM bitvault",
            hints={"plane": "public"},
        ),
    ]
