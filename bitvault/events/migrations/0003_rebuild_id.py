"""Of two rebuilds at once the later one counts."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0002_heartbeat_holder")]

    operations = [
        migrations.AddField(
            model_name="consumercursor",
            name="rebuild_id",
            field=models.UUIDField(null=True),
        ),
    ]
