"""Deferred work: jobs and the kinds that are stopped; and who may touch which rows."""

import bitvault.kernel.ids
from django.db import migrations, models


# A tenant's role asks for work and ends its own, in the transaction that has the effect; the login role (workers, operators) sees all.
RIGHTS = """
ALTER TABLE jobs_job ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_jobs ON jobs_job TO bitvault_tenant USING (current_user = 't_' || replace(tenant_id::text, '-', ''));
CREATE POLICY platform ON jobs_job TO bitvault USING (true);
GRANT SELECT, INSERT, UPDATE ON jobs_job TO bitvault_tenant;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='PausedKind',
            fields=[
                ('kind', models.CharField(max_length=60, primary_key=True, serialize=False)),
                ('reason', models.TextField(blank=True)),
                ('paused_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'jobs_paused_kind',
            },
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.UUIDField(default=bitvault.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('tenant_id', models.UUIDField(null=True)),
                ('kind', models.CharField(max_length=60)),
                ('lane', models.CharField(max_length=20)),
                ('key', models.CharField(max_length=200)),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('canceled', 'Canceled')], default='queued', max_length=10)),
                ('payload', models.JSONField()),
                ('done_count', models.BigIntegerField(default=0)),
                ('total_count', models.BigIntegerField(null=True)),
                ('checkpoint', models.JSONField(null=True)),
                ('result', models.JSONField(null=True)),
                ('problem', models.JSONField(null=True)),
                ('error', models.TextField(blank=True)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('leased_by', models.UUIDField(null=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('run_at', models.DateTimeField()),
                ('cancel_requested_at', models.DateTimeField(null=True)),
                ('created_by_kind', models.CharField(max_length=10)),
                ('created_by_id', models.UUIDField(null=True)),
                ('created_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'jobs_job',
                'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['lane', 'tenant_id', 'run_at', 'id'], name='jobs_job_queued'), models.Index(fields=['lane', 'tenant_id', '-started_at'], name='jobs_job_turn'), models.Index(condition=models.Q(('state', 'running')), fields=['lane', 'tenant_id'], name='jobs_job_running'), models.Index(fields=['tenant_id', 'created_by_id', '-id'], name='jobs_job_person'), models.Index(fields=['tenant_id', '-id'], name='jobs_job_tenant'), models.Index(fields=['tenant_id', 'kind', 'key', '-id'], name='jobs_job_latest'), models.Index(condition=models.Q(('expires_at__isnull', False)), fields=['expires_at'], name='jobs_job_expired'), models.Index(condition=models.Q(('state', 'failed')), fields=['kind'], name='jobs_job_failed')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['queued', 'running'])), fields=('kind', 'tenant_id', 'key'), name='jobs_job_once', nulls_distinct=False)],
            },
        ),
        migrations.RunSQL(RIGHTS, reverse_sql=migrations.RunSQL.noop, hints={"plane": "public"}),
    ]
