"""When a SIEM export was told of as failing, and what of the installation operators were told of."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """See the module."""

    dependencies = [
        ('admin_platform', '0006_siem_exports'),
    ]

    operations = [
        migrations.CreateModel(
            name='Alarm',
            fields=[
                ('key', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('is_raised', models.BooleanField(default=False)),
                ('changed_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'admin_platform_alarm',
            },
        ),
        migrations.AddField(
            model_name='siemexport',
            name='told_at',
            field=models.DateTimeField(null=True),
        ),
    ]
