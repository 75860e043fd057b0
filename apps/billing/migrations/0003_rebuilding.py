"""An image of the tree that is rebuilt beside the live one, and up to where the last rebuild counted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_meter")]

    operations = [
        migrations.CreateModel(
            name="RebuiltNode",
            fields=[
                ("node_id", models.UUIDField(primary_key=True, serialize=False)),
                ("parent_id", models.UUIDField(null=True)),
                ("is_folder", models.BooleanField()),
                ("is_trashed", models.BooleanField()),
                ("size_bytes", models.BigIntegerField()),
                ("version_count", models.BigIntegerField()),
                ("as_of_seq", models.BigIntegerField()),
            ],
            options={"db_table": "billing_rebuilt_node"},
        ),
        migrations.CreateModel(
            name="Meter",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("rebuilt_seq", models.BigIntegerField()),
            ],
            options={"db_table": "billing_meter"},
        ),
    ]
