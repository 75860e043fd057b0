"""The stream tells by which token a request came: so what one token did can be told from what else its owner did."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0006_paused_consumer"),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE events_stream_event ADD COLUMN token_id uuid",
            "ALTER TABLE events_stream_event DROP COLUMN token_id",
            hints={"plane": "public"},
            state_operations=[
                migrations.AddField(model_name="streamevent", name="token_id", field=models.UUIDField(null=True))
            ],
        ),
    ]
