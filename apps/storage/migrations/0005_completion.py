"""Completions that a worker goes on with, and the boot in which parts were sent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("storage", "0004_rebuilt_references")]

    operations = [
        migrations.AddField("upload", "completion", models.JSONField(null=True)),
        migrations.AddField("upload", "boot_id", models.UUIDField(null=True)),
    ]
