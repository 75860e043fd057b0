"""A rebuild that runs says so, and none is begun by itself beside it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0003_rebuild_id")]

    operations = [
        migrations.AddField(
            model_name="consumercursor",
            name="rebuilt_until",
            field=models.DateTimeField(null=True),
        ),
    ]
