"""Consumers that operators have stopped."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0005_rebuild_error'),
    ]

    operations = [
        migrations.CreateModel(
            name='PausedConsumer',
            fields=[
                ('consumer', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('reason', models.TextField(blank=True)),
                ('paused_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'events_paused_consumer',
            },
        ),
    ]
