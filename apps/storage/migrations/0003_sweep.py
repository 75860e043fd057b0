"""What sweeps left undone, by tenant."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("storage", "0002_references")]

    operations = [
        migrations.CreateModel(
            name="Sweep",
            fields=[
                ("tenant_id", models.UUIDField(primary_key=True, serialize=False)),
                ("overdue_count", models.BigIntegerField()),
                ("swept_at", models.DateTimeField()),
            ],
            options={"db_table": "storage_sweep"},
        ),
    ]
