"""The module's first tables."""

from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Version',
            fields=[
                ('version_id', models.UUIDField(primary_key=True, serialize=False)),
                ('node_id', models.UUIDField()),
                ('committed_by', models.UUIDField()),
                ('committed_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'example_module_version',
                'indexes': [models.Index(fields=['committed_by', '-version_id'], name='example_module_person')],
            },
        ),
    ]
