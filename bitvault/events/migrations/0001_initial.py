"""The stream: heads, events by day, cursors of consumers, dead letters, heartbeats; and who may touch which rows."""

from django.db import migrations, models

import bitvault.kernel.ids

STREAM = """
CREATE TABLE events_stream_event (
    tenant_id uuid NOT NULL,
    seq bigint NOT NULL,
    published_at timestamptz NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    actor_id uuid,
    request_id text,
    address text,
    device_id uuid,
    payload jsonb NOT NULL,
    PRIMARY KEY (tenant_id, seq, published_at)
) PARTITION BY RANGE (published_at);
-- Where rows fall when the clockwork that makes the days' partitions has stood still for a week.
CREATE TABLE events_stream_event_default PARTITION OF events_stream_event DEFAULT;
DO $$
DECLARE day date;
BEGIN
    FOR day IN SELECT generate_series(current_date - 1, current_date + 7, '1 day')::date LOOP
        EXECUTE format('CREATE TABLE events_stream_event_%s PARTITION OF events_stream_event FOR VALUES FROM (%L) TO (%L)',
            to_char(day, 'YYYYMMDD'), day || ' 00:00+00', (day + 1) || ' 00:00+00');
    END LOOP;
END $$;
"""

# A tenant's role sees its own rows only; the login role (relay, operators) sees all of them.
RIGHTS = """
ALTER TABLE events_stream_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE events_stream_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE events_consumer_cursor ENABLE ROW LEVEL SECURITY;
ALTER TABLE events_dead_letter ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_stream ON events_stream_head TO bitvault_tenant
    USING (current_user = 't_' || replace(tenant_id::text, '-', ''));
CREATE POLICY own_stream ON events_stream_event TO bitvault_tenant
    USING (current_user = 't_' || replace(tenant_id::text, '-', ''));
CREATE POLICY own_stream ON events_consumer_cursor TO bitvault_tenant
    USING (current_user = 't_' || replace(tenant_id::text, '-', ''));
CREATE POLICY own_stream ON events_dead_letter TO bitvault_tenant
    USING (current_user = 't_' || replace(tenant_id::text, '-', ''));
CREATE POLICY platform ON events_dead_letter TO bitvault USING (true);
CREATE POLICY platform ON events_stream_head TO bitvault USING (true);
CREATE POLICY platform ON events_stream_event TO bitvault USING (true);
CREATE POLICY platform ON events_consumer_cursor TO bitvault USING (true);
GRANT SELECT, UPDATE ON events_stream_head TO bitvault_tenant;
GRANT SELECT, INSERT ON events_stream_event TO bitvault_tenant;
GRANT SELECT, UPDATE ON events_consumer_cursor TO bitvault_tenant;
GRANT SELECT, UPDATE ON events_dead_letter TO bitvault_tenant;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="StreamHead",
            fields=[
                ("tenant_id", models.UUIDField(primary_key=True, serialize=False)),
                ("last_seq", models.BigIntegerField(default=0)),
            ],
            options={"db_table": "events_stream_head"},
        ),
        migrations.CreateModel(
            name="StreamEvent",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "seq", "published_at", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("seq", models.BigIntegerField()),
                ("published_at", models.DateTimeField()),
                ("id", models.UUIDField()),
                ("type", models.TextField()),
                ("occurred_at", models.DateTimeField()),
                ("actor_id", models.UUIDField(null=True)),
                ("request_id", models.TextField(null=True)),
                ("address", models.TextField(null=True)),
                ("device_id", models.UUIDField(null=True)),
                ("payload", models.JSONField()),
            ],
            options={"db_table": "events_stream_event", "managed": False},
        ),
        migrations.CreateModel(
            name="ConsumerCursor",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "consumer", "tenant_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("consumer", models.CharField(max_length=40)),
                ("tenant_id", models.UUIDField()),
                ("seq", models.BigIntegerField(default=0)),
                ("published_at", models.DateTimeField()),
                ("try_count", models.PositiveSmallIntegerField(default=0)),
                ("failing_seq", models.BigIntegerField(null=True)),
                ("careful_until_seq", models.BigIntegerField(default=0)),
                ("last_error", models.TextField(blank=True)),
                ("retry_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "events_consumer_cursor",
                "indexes": [models.Index(fields=["tenant_id"], name="events_consumer_cursor_tenant")],
            },
        ),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=bitvault.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("consumer", models.CharField(max_length=40)),
                ("tenant_id", models.UUIDField()),
                ("seq", models.BigIntegerField()),
                ("type", models.TextField()),
                ("error", models.TextField()),
                ("try_count", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("dead", "Waiting"), ("replayed", "Replayed"), ("dropped", "Dropped")],
                        default="dead",
                        max_length=16,
                    ),
                ),
                ("died_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                ("settled_by", models.UUIDField(null=True)),
            ],
            options={
                "db_table": "events_dead_letter",
                "indexes": [models.Index(fields=["state", "-died_at"], name="events_dead_letter_waiting")],
                "constraints": [
                    models.UniqueConstraint(fields=("consumer", "tenant_id", "seq"), name="events_dead_letter_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("beaten_at", models.DateTimeField()),
            ],
            options={"db_table": "events_heartbeat"},
        ),
        migrations.RunSQL(STREAM, reverse_sql="DROP TABLE events_stream_event", hints={"plane": "public"}),
        migrations.RunSQL(RIGHTS, reverse_sql=migrations.RunSQL.noop, hints={"plane": "public"}),
    ]
