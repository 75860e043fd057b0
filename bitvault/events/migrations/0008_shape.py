"""Of which shape what a consumer keeps is. Of what is there already nobody knows: what has a number now is rebuilt."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0007_token_of_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="consumercursor",
            name="shape",
            field=models.PositiveSmallIntegerField(db_default=0),
        ),
    ]
