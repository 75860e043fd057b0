from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sharing", "0003_permission_message"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="permission",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False)),
                fields=["expires_at", "id"],
                name="sharing_permission_ending",
            ),
        ),
    ]
