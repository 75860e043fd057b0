from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    """Tokens that are there have outlived every change of password so far, so they count as proved now."""

    dependencies = [("identity", "0001_initial")]

    operations = [migrations.AddField("apitoken", "proved_at", models.DateTimeField(db_default=Now()))]
