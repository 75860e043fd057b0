from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("identity", "0009_groups"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="policies",
            field=models.JSONField(null=True),
        ),
    ]
