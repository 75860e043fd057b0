from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sharing", "0002_take_team_members"),
    ]

    operations = [
        migrations.AddField(
            model_name="permission",
            name="message",
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
    ]
