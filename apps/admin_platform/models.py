"""Tables of administration: a tenant's audit log, append-only and chained by hash; what is decided of feature flags and settings."""

from django.db import models

from bitvault.kernel.models import PublicModel, TenantModel, id_field


class AuditHead(TenantModel):
    """The last number and hash of the chain: one row, locked last by whoever appends."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "admin_platform_audit_head"


class AuditEntry(TenantModel):
    """Something that happened, or was denied. The tenant's role may not change or delete it, and a trigger refuses who could."""

    append_only = True

    number = models.BigIntegerField(primary_key=True)
    seq = models.BigIntegerField(null=True, unique=True)
    """The event's number in the stream; empty for what is written directly (denied accesses, failed sign-ins)."""
    event_id = models.UUIDField()
    type = models.TextField()
    occurred_at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)
    node_id = models.UUIDField(null=True)
    address = models.TextField(blank=True)
    device_id = models.UUIDField(null=True)
    request_id = models.TextField(blank=True)
    payload = models.JSONField()
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "admin_platform_audit_entry"
        indexes = [
            # What did this person do?
            models.Index(fields=["actor_id", "-number"], name="admin_platform_audit_actor"),
            # What happened to this node?
            models.Index(fields=["node_id", "-number"], name="admin_platform_audit_node"),
            # Where has this kind of thing happened?
            models.Index(fields=["type", "-number"], name="admin_platform_audit_type"),
            # What was done from this address?
            models.Index(fields=["address", "-number"], name="admin_platform_audit_address"),
            # What happened between two moments?
            models.Index(fields=["occurred_at"], name="admin_platform_audit_time"),
        ]


class AuditAnchor(TenantModel):
    """A signed saying about the chain: up to here it had this hash. Written every five minutes in which the log grew."""

    append_only = True

    index = models.BigIntegerField(primary_key=True)
    number = models.BigIntegerField(unique=True)
    """Of the entry whose hash it signs."""
    hash = models.BinaryField(max_length=32)
    anchored_at = models.DateTimeField()
    previous = models.BinaryField(max_length=32)
    """SHA-256 over what the anchor before it signed and its signature; zeros for the first."""
    public_key = models.BinaryField(max_length=32)
    signature = models.BinaryField(max_length=64)

    class Meta:
        db_table = "admin_platform_audit_anchor"


class AnchorCopy(TenantModel):
    """How far anchors were copied to the bucket where nobody can change them: one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    place = models.TextField()
    """Which bucket that is: another one begins with the first anchor."""
    index = models.BigIntegerField()
    """Of the last anchor that is there."""
    copied_at = models.DateTimeField()

    class Meta:
        db_table = "admin_platform_anchor_copy"


class AnchorTurn(PublicModel):
    """How far the copies of all tenants' anchors were when the last turn ended: one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    place = models.TextField()
    finished_at = models.DateTimeField()
    waiting_count = models.BigIntegerField(default=0)
    waiting_since = models.DateTimeField(null=True)
    """When the first of those that wait was signed."""
    failing_since = models.DateTimeField(null=True)
    failure = models.CharField(max_length=20, blank=True)

    class Meta:
        db_table = "admin_platform_anchor_turn"


class SiemExport(TenantModel):
    """Where the audit log is sent on to, and how far that has come."""

    id = id_field()
    is_installation = models.BooleanField(default=False)
    """Whether it is the operators': address and secret are settings of the installation then."""
    url = models.TextField(blank=True)
    secret = models.TextField(blank=True)
    """Sealed."""
    description = models.CharField(max_length=200, blank=True)
    is_enabled = models.BooleanField(default=True)
    round = models.BigIntegerField(default=0)
    """Raised by every change: a job of an earlier round ends without an effect on the position."""
    position = models.BigIntegerField(default=0)
    """The number of the last entry that was taken."""
    try_count = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    """When it was told that it fails; empty while it works, or has not failed for long."""
    last_failure = models.CharField(max_length=20, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_success_at = models.DateTimeField(null=True)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "admin_platform_siem_export"
        constraints = [
            # There is one of the installation.
            models.UniqueConstraint(
                fields=["is_installation"],
                name="admin_platform_siem_export_of_installation",
                condition=models.Q(is_installation=True),
            )
        ]


class Alarm(PublicModel):
    """Something of the installation that operators are told of by mail: once when it is amiss, and once when it is well again."""

    key = models.CharField(max_length=40, primary_key=True)
    is_raised = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "admin_platform_alarm"


class Flag(PublicModel):
    """What operators have decided of a feature flag. The flag itself is declared in code; one without a row has its default."""

    key = models.CharField(max_length=80, primary_key=True)
    value = models.JSONField(null=True, blank=True)
    """``NULL``: the default of the code."""
    rules = models.JSONField(default=list, blank=True)
    """``flag_rules.Rule``, the first that fits first."""
    is_forced = models.BooleanField("also for vaults that have chosen otherwise", default=False, db_default=False)
    version = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    changed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "admin_platform_flag"

    def __str__(self) -> str:
        return self.key


class FlagVersion(PublicModel):
    """A flag as it was from ``changed_at`` until its next version, who decided so, and why."""

    id = id_field()
    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    value = models.JSONField(null=True)
    rules = models.JSONField()
    is_forced = models.BooleanField()
    changed_at = models.DateTimeField()
    changed_by = models.UUIDField(null=True)
    """An operator; ``NULL``: whoever runs ``manage.py``."""
    note = models.TextField(blank=True)

    class Meta:
        db_table = "admin_platform_flag_version"
        constraints = [models.UniqueConstraint(fields=["flag", "version"], name="admin_platform_flag_version_once")]


class FlagChoice(PublicModel):
    """What a tenant's administrators have chosen of a flag that lets them."""

    pk = models.CompositePrimaryKey("tenant_id", "key")
    tenant_id = models.UUIDField()
    key = models.CharField(max_length=80)
    value = models.JSONField()

    class Meta:
        db_table = "admin_platform_flag_choice"


class FlagReading(PublicModel):
    """The last day (UTC) on which some process asked for a flag."""

    key = models.CharField(max_length=80, primary_key=True)
    last_read_on = models.DateField()

    class Meta:
        db_table = "admin_platform_flag_reading"


class Config(PublicModel):
    """What operators have decided of a setting. The setting itself is declared in code; one without a value has its default."""

    key = models.CharField(max_length=80, primary_key=True)
    value = models.JSONField(null=True)
    """``NULL``: the default, or a secret."""
    sealed = models.TextField(default="", db_default="")
    """A secret, encrypted with a key that is made of the installation's own; tenants' roles cannot read this column."""
    version = models.PositiveIntegerField(default=0, db_default=0)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "admin_platform_config"
        verbose_name = "setting"

    def __str__(self) -> str:
        return self.key


class ConfigVersion(PublicModel):
    """A setting as it was from ``changed_at`` until its next version, who decided so, and why."""

    id = id_field()
    config = models.ForeignKey(Config, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    value = models.JSONField(null=True)
    sealed = models.TextField(default="", db_default="")
    changed_at = models.DateTimeField()
    changed_by = models.UUIDField(null=True)
    """An operator; ``NULL``: whoever runs ``manage.py``."""
    note = models.TextField(blank=True)

    class Meta:
        db_table = "admin_platform_config_version"
        constraints = [models.UniqueConstraint(fields=["config", "version"], name="admin_platform_config_version_once")]
