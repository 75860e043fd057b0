"""Where the audit log is sent on to."""

import bitvault.kernel.ids
from django.db import migrations, models


class Migration(migrations.Migration):
    """See the module."""

    dependencies = [("admin_platform", "0005_config")]

    operations = [
        migrations.CreateModel(
            name="SiemExport",
            fields=[
                ("id", models.UUIDField(default=bitvault.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("is_installation", models.BooleanField(default=False)),
                ("url", models.TextField(blank=True)),
                ("secret", models.TextField(blank=True)),
                ("description", models.CharField(blank=True, max_length=200)),
                ("is_enabled", models.BooleanField(default=True)),
                ("round", models.BigIntegerField(default=0)),
                ("position", models.BigIntegerField(default=0)),
                ("try_count", models.PositiveIntegerField(default=0)),
                ("failing_since", models.DateTimeField(null=True)),
                ("next_try_at", models.DateTimeField(null=True)),
                ("last_failure", models.CharField(blank=True, max_length=20)),
                ("last_status", models.PositiveSmallIntegerField(null=True)),
                ("last_success_at", models.DateTimeField(null=True)),
                ("created_by", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "admin_platform_siem_export",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_installation", True)),
                        fields=("is_installation",),
                        name="admin_platform_siem_export_of_installation",
                    )
                ],
            },
        )
    ]
