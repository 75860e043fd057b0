"""What is on legal hold. The tables of files are read here this once, for holds that are in force already."""

import django.contrib.postgres.fields
from django.db import migrations, models

TAKE_HOLDS = """
INSERT INTO search_hold (policy_id, tag_id, is_of_vault, seq)
SELECT id, tag_id, target = 'vault', 0 FROM files_retention WHERE kind = 'hold' AND lifted_at IS NULL
"""

TAKE_HELD = """
INSERT INTO search_held (node_id, policy_ids)
SELECT named.node_id, array_agg(DISTINCT named.policy_id) FROM (
    SELECT policy_id, node_id FROM files_retained
    UNION ALL
    SELECT retained.policy_id, entry.node_id
    FROM files_trash entry CROSS JOIN LATERAL unnest(entry.origin_parent_id || entry.origin_ids) AS lay(id)
        JOIN files_retained retained ON retained.node_id = lay.id
) named JOIN search_hold ON search_hold.policy_id = named.policy_id GROUP BY named.node_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('search', '0006_remarks'),
        ('files', '0017_retention'),
    ]

    operations = [
        migrations.CreateModel(
            name='Held',
            fields=[
                ('node_id', models.UUIDField(primary_key=True, serialize=False)),
                ('policy_ids', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None)),
            ],
            options={
                'db_table': 'search_held',
            },
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('policy_id', models.UUIDField(primary_key=True, serialize=False)),
                ('tag_id', models.UUIDField(null=True)),
                ('is_of_vault', models.BooleanField(default=False)),
                ('seq', models.BigIntegerField()),
            ],
            options={
                'db_table': 'search_hold',
            },
        ),
        migrations.CreateModel(
            name='RebuiltHeld',
            fields=[
                ('node_id', models.UUIDField(primary_key=True, serialize=False)),
                ('policy_ids', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None)),
            ],
            options={
                'db_table': 'search_rebuilt_held',
            },
        ),
        migrations.CreateModel(
            name='RebuiltHold',
            fields=[
                ('policy_id', models.UUIDField(primary_key=True, serialize=False)),
                ('tag_id', models.UUIDField(null=True)),
                ('is_of_vault', models.BooleanField(default=False)),
                ('seq', models.BigIntegerField()),
            ],
            options={
                'db_table': 'search_rebuilt_hold',
            },
        ),
        migrations.AddIndex(
            model_name='document',
            index=models.Index(fields=['parent_id'], name='search_document_parent'),
        ),
        migrations.RunSQL(TAKE_HOLDS, migrations.RunSQL.noop, hints={'plane': 'tenant'}),
        migrations.RunSQL(TAKE_HELD, migrations.RunSQL.noop, hints={'plane': 'tenant'}),
    ]
