"""Snapshots of larger trees are shared by all devices that see the same, and kept for a day after they were last read."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0003_right_counts_of_snapshots'),
    ]

    operations = [
        migrations.AddField(
            model_name='snapshot',
            name='last_used_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name='snapshot',
            name='made_for',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='snapshot',
            name='scope',
            field=models.TextField(db_default=''),
        ),
        migrations.AlterField(
            model_name='snapshot',
            name='device_id',
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name='snapshot',
            index=models.Index(condition=models.Q(('scope', ''), _negated=True), fields=['scope', '-created_at'], name='sync_snapshot_scope'),
        ),
        migrations.AddIndex(
            model_name='snapshot',
            index=models.Index(condition=models.Q(('scope', ''), _negated=True), fields=['made_for', '-created_at'], name='sync_snapshot_person'),
        ),
    ]
