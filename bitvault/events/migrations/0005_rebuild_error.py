"""A rebuild that fails leaves its reason, for whoever began it does not wait for its end."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0004_rebuild_lease")]

    operations = [
        migrations.AddField(
            model_name="consumercursor",
            name="rebuild_error",
            field=models.TextField(blank=True, db_default=""),
        ),
    ]
