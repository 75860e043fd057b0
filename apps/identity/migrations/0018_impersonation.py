"""Operators who look at tenants as one of their members: the permission, the table, and sessions that belong to one."""

import bitvault.kernel.ids
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """See the module."""

    dependencies = [
        ('identity', '0017_removed_pictures'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='tenant',
            options={'permissions': (('impersonate', 'Can look at tenants as one of their members'), ('suspend_tenant', 'Can suspend tenants and let them in again'), ('view_installation', 'Can view figures and findings of the installation'))},
        ),
        migrations.CreateModel(
            name='Impersonation',
            fields=[
                ('id', models.UUIDField(default=bitvault.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('operator_id', models.UUIDField()),
                ('operator_name', models.CharField(max_length=254)),
                ('operator_session_id', models.UUIDField()),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='identity.tenant')),
                ('slug', models.CharField(max_length=40)),
                ('member_id', models.UUIDField()),
                ('member_email', models.CharField(max_length=254)),
                ('reason', models.CharField(max_length=500)),
                ('began_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('entered_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_for', models.CharField(blank=True, choices=[('operator', 'Ended by the operator'), ('time', 'The time was over'), ('session', 'The session ended'), ('refused', 'Not allowed any more')], default='', max_length=16)),
            ],
            options={
                'db_table': 'identity_impersonation',
                'indexes': [models.Index(fields=['tenant', '-id'], name='identity_impersonation_tenant')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('operator_id',), name='identity_impersonation_once'), models.CheckConstraint(condition=models.Q(('ended_for__in', ['', 'operator', 'time', 'session', 'refused'])), name='identity_impersonation_end_known')],
            },
        ),
        migrations.AddField(
            model_name='session',
            name='impersonation',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to='identity.impersonation'),
        ),
    ]
