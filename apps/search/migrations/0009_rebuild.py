"""How far a rebuild is, and a build in OpenSearch, so that they can be continued."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("search", "0008_document_version"),
    ]

    operations = [
        migrations.CreateModel(
            name="Rebuild",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("swap_count", models.BigIntegerField(default=0)),
                ("run_id", models.UUIDField(null=True)),
                ("shape", models.PositiveSmallIntegerField(default=0)),
                ("begun_at", models.DateTimeField(null=True)),
                ("seq", models.BigIntegerField(null=True)),
                ("step", models.PositiveSmallIntegerField(default=0)),
                ("after", models.UUIDField(null=True)),
                ("done_count", models.BigIntegerField(default=0)),
            ],
            options={
                "db_table": "search_rebuild",
            },
        ),
        migrations.AddField(
            model_name="outsideindex",
            name="filled_to",
            field=models.UUIDField(null=True),
        ),
    ]
