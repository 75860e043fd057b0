"""Permissions of operators that are no table's: suspending tenants, and looking at the installation."""

from django.db import migrations


class Migration(migrations.Migration):
    """See the module."""

    dependencies = [("identity", "0014_pictures_and_colours")]

    operations = [
        migrations.AlterModelOptions(
            name="tenant",
            options={
                "permissions": (
                    ("suspend_tenant", "Can suspend tenants and let them in again"),
                    ("view_installation", "Can view figures and findings of the installation"),
                )
            },
        )
    ]
