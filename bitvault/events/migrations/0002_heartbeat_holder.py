"""A clockwork of which there must be one at a time is held by a process."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="heartbeat",
            name="holder",
            field=models.UUIDField(null=True),
        ),
    ]
