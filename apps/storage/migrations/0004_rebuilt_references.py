"""References that are rebuilt beside the live ones."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("storage", "0003_sweep")]

    operations = [
        migrations.CreateModel(
            name="RebuiltReference",
            fields=[
                ("version_id", models.UUIDField(primary_key=True, serialize=False)),
                ("blob_id", models.UUIDField()),
            ],
            options={"db_table": "storage_rebuilt_reference"},
        ),
    ]
