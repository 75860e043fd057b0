"""Tables of billing: how much room a tenant has, uses, and has promised to uploads under way."""

from datetime import UTC, datetime

from django.core.validators import RegexValidator
from django.db import models

from apps.billing.models_of_payment import NoticeState, PaymentAccount, PaymentNotice, PlanPrice, UsageReport
from bitvault.kernel.models import PublicModel, TenantModel, id_field

__all__ = ["NoticeState", "PaymentAccount", "PaymentNotice", "PlanPrice", "UsageReport"]

DEFAULT_PLAN = "default"
"""The plan of every tenant that was given no other."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Before everything."""

TENANT_SCOPE = "tenant"
"""The scope that the whole of a tenant's files counts in."""


class Plan(PublicModel):
    """What a tenant gets. Operators change it on their host; each change is a version, and earlier ones stay in ``PlanVersion``."""

    id = id_field()
    slug = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    limit_bytes = models.BigIntegerField("room in bytes")
    file_limit_bytes = models.BigIntegerField("largest file in bytes", null=True, blank=True)
    """``NULL``: whatever the store can hold."""
    trash_days = models.PositiveSmallIntegerField("days in the trash", db_default=30, default=30)
    member_limit = models.PositiveIntegerField("members", null=True, blank=True)
    guest_limit = models.PositiveIntegerField("guests", null=True, blank=True)
    link_limit = models.PositiveIntegerField("links and file requests", null=True, blank=True)
    """``NULL``: as many as there are."""
    currency = models.CharField(
        max_length=3, default="EUR", db_default="EUR", validators=[RegexValidator(r"^[A-Z]{3}\Z")]
    )
    month_price = models.DecimalField("price of a month", max_digits=12, decimal_places=4, default=0, db_default=0)
    prices = models.JSONField("prices of what is used", default=list, db_default=[], blank=True)
    """``pricing.Price``, above what is included."""
    grace_days = models.PositiveSmallIntegerField("days of grace", default=14, db_default=14)
    """How long a subscription's payment may be overdue before the tenant has the default plan again."""
    version = models.PositiveIntegerField(db_default=1, default=1, editable=False)

    class Meta:
        db_table = "billing_plan"
        constraints = [
            models.CheckConstraint(condition=models.Q(limit_bytes__gte=0), name="billing_plan_figures"),
            models.CheckConstraint(
                condition=models.Q(file_limit_bytes__isnull=True) | models.Q(file_limit_bytes__gt=0),
                name="billing_plan_file_limit",
            ),
            models.CheckConstraint(condition=models.Q(trash_days__range=(1, 3650)), name="billing_plan_trash_days"),
            models.CheckConstraint(condition=models.Q(grace_days__range=(2, 365)), name="billing_plan_grace_days"),
        ]

    def __str__(self) -> str:
        return self.name


class PlanVersion(PublicModel):
    """A plan as it was from ``begun_at`` until its next version."""

    id = id_field()
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    limit_bytes = models.BigIntegerField()
    file_limit_bytes = models.BigIntegerField(null=True)
    trash_days = models.PositiveSmallIntegerField()
    member_limit = models.PositiveIntegerField(null=True)
    guest_limit = models.PositiveIntegerField(null=True)
    link_limit = models.PositiveIntegerField(null=True)
    currency = models.CharField(max_length=3, default="EUR", db_default="EUR")
    month_price = models.DecimalField(max_digits=12, decimal_places=4, default=0, db_default=0)
    prices = models.JSONField(default=list, db_default=[])
    begun_at = models.DateTimeField()
    changed_by = models.UUIDField(null=True)
    """An operator; ``NULL``: a migration, or whoever runs ``manage.py``."""

    class Meta:
        db_table = "billing_plan_version"
        constraints = [models.UniqueConstraint(fields=["plan", "version"], name="billing_plan_version_once")]


class Quota(TenantModel):
    """Room of a scope. ``used_bytes`` and ``reserved_bytes`` are exact: they move in the transaction of what they count."""

    scope = models.CharField(max_length=40, primary_key=True)
    plan_id = models.UUIDField()
    limit_bytes = models.BigIntegerField(null=True)
    """A limit that operators give instead of the plan's, which ``NULL`` takes. May be below what is used: then nothing new fits."""
    own_limit_bytes = models.BigIntegerField(null=True)
    """A lower limit that the tenant's administrators have set themselves."""
    file_limit_bytes = models.BigIntegerField(null=True)
    trash_days = models.PositiveSmallIntegerField(null=True)
    member_limit = models.PositiveIntegerField(null=True)
    guest_limit = models.PositiveIntegerField(null=True)
    link_limit = models.PositiveIntegerField(null=True)
    """What operators give instead of the plan's; ``NULL`` takes that."""
    used_bytes = models.BigIntegerField(default=0)
    reserved_bytes = models.BigIntegerField(default=0)

    class Meta:
        db_table = "billing_quota"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(used_bytes__gte=0, reserved_bytes__gte=0), name="billing_quota_figures"
            ),
            models.CheckConstraint(
                condition=models.Q(limit_bytes__isnull=True) | models.Q(limit_bytes__gte=0), name="billing_quota_limit"
            ),
            models.CheckConstraint(
                condition=models.Q(own_limit_bytes__isnull=True) | models.Q(own_limit_bytes__gte=0),
                name="billing_quota_own_limit",
            ),
        ]


class PlanPeriod(TenantModel):
    """From ``begun_at`` on the tenant has had this plan, until the next row. Before the first one it had the first one's."""

    begun_at = models.DateTimeField(primary_key=True)
    plan_id = models.UUIDField()

    class Meta:
        db_table = "billing_plan_period"


class PlanChange(TenantModel):
    """What was changed of the tenant's plan or limits, by whom, with what held before and after."""

    append_only = True

    id = id_field()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=10)
    """``dtos.ChangedBy``."""
    actor_id = models.UUIDField(null=True)
    before = models.JSONField()
    after = models.JSONField()

    class Meta:
        db_table = "billing_plan_change"
        indexes = [
            # What was changed last?
            models.Index(fields=["-changed_at", "-id"], name="billing_plan_change_last"),
        ]


class Statement(TenantModel):
    """What a month came to. Written once: what turns out later is a line of a later statement."""

    append_only = True

    number = models.PositiveIntegerField(primary_key=True)
    month = models.DateField(unique=True)
    """Its first day."""
    tenant_name = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    as_of_seq = models.BigIntegerField()
    """The meter had come to this number of the stream."""
    totals = models.JSONField()
    """Minor units by currency."""

    class Meta:
        db_table = "billing_statement"


class StatementLine(TenantModel):
    """A line of a statement: what was used by one plan's version in one month, or by how much an earlier statement's was amiss."""

    append_only = True

    pk = models.CompositePrimaryKey("number", "position")
    number = models.PositiveIntegerField()
    position = models.PositiveIntegerField()
    about_month = models.DateField()
    is_correction = models.BooleanField()
    plan = models.CharField(max_length=40)
    plan_name = models.CharField(max_length=120)
    plan_version = models.PositiveIntegerField()
    begin = models.DateField()
    end = models.DateField()
    """Exclusive."""
    metric = models.CharField(max_length=40)
    quantity = models.DecimalField(max_digits=30, decimal_places=0)
    """Exact: days, byte-days, person-days, bytes or times."""
    units = models.DecimalField(max_digits=24, decimal_places=6)
    included = models.DecimalField(max_digits=24, decimal_places=6)
    price = models.DecimalField(max_digits=16, decimal_places=6)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()

    class Meta:
        db_table = "billing_statement_line"
        indexes = [
            # What has been said of a month already?
            models.Index(fields=["about_month"], name="billing_statement_line_month"),
        ]


class ScopeLimit(TenantModel):
    """How much a member's own files, or a team folder, may hold: the tree below one root."""

    scope = models.CharField(max_length=45, primary_key=True)
    """``user:<id>`` or ``folder:<id>``."""
    root_id = models.UUIDField(unique=True)
    limit_bytes = models.BigIntegerField(null=True)
    """Above it nothing new is taken; ``NULL``: there is no such limit."""
    warn_bytes = models.BigIntegerField(null=True)
    """Above it people are told, and nothing is refused."""

    class Meta:
        db_table = "billing_scope_limit"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(limit_bytes__gte=0) | models.Q(limit_bytes__isnull=True, warn_bytes__gte=0),
                name="billing_scope_limit_figures",
            )
        ]


class RootUsage(TenantModel):
    """Bytes of all versions of what is live below a root. Fed by events, rebuilt from files."""

    root_id = models.UUIDField(primary_key=True)
    used_bytes = models.BigIntegerField()

    class Meta:
        db_table = "billing_root_usage"


class ReservationState(models.TextChoices):
    """The life of a reservation. ``settled`` is final; a commit that comes late still settles a released or lapsed one."""

    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"
    LAPSED = "lapsed"


class Reservation(TenantModel):
    """Room promised to one upload; afterwards the memory that it was charged, once."""

    upload_id = models.UUIDField(primary_key=True)
    size_bytes = models.BigIntegerField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=ReservationState.choices, default=ReservationState.HELD)
    root_id = models.UUIDField(null=True)
    """The root whose limit it counts in; ``NULL``: that had none."""
    settled_seq = models.BigIntegerField(null=True)
    """Of one with a root: the stream's head after it was charged. Up to there the meter has not counted it for sure."""

    class Meta:
        db_table = "billing_reservation"
        constraints = [
            models.CheckConstraint(condition=models.Q(size_bytes__gte=0), name="billing_reservation_figures"),
            models.CheckConstraint(
                condition=models.Q(state__in=ReservationState.values), name="billing_reservation_state"
            ),
        ]
        indexes = [
            # Which promises are past their time?
            models.Index(fields=["expires_at"], condition=models.Q(state="held"), name="billing_reservation_due"),
            # What is promised below a root, or charged and not metered yet?
            models.Index(
                fields=["root_id", "settled_seq"],
                condition=models.Q(root_id__isnull=False),
                name="billing_reservation_root",
            ),
        ]


class Refund(TenantModel):
    """The memory that something was given back, once."""

    cause_id = models.UUIDField(primary_key=True)
    size_bytes = models.BigIntegerField()
    refunded_at = models.DateTimeField()

    class Meta:
        db_table = "billing_refund"
        constraints = [models.CheckConstraint(condition=models.Q(size_bytes__gte=0), name="billing_refund_figures")]


class MeteredNode(TenantModel):
    """The meter's image of a node: where it hangs, and the bytes of all its versions. Fed by events, rebuilt from files."""

    node_id = models.UUIDField(primary_key=True)
    parent_id = models.UUIDField(null=True)
    is_folder = models.BooleanField()
    size_bytes = models.BigIntegerField(default=0)

    class Meta:
        db_table = "billing_metered_node"
        indexes = [
            # What lies below a folder that goes to the trash?
            models.Index(fields=["parent_id"], name="billing_metered_node_parent"),
        ]


class RebuiltNode(TenantModel):
    """A row of an image that is being rebuilt beside the live one."""

    node_id = models.UUIDField(primary_key=True)
    parent_id = models.UUIDField(null=True)
    is_folder = models.BooleanField()
    is_trashed = models.BooleanField()
    """The top of something in the trash."""
    size_bytes = models.BigIntegerField()
    version_count = models.BigIntegerField()
    as_of_seq = models.BigIntegerField()
    """Everything that happened to the node up to this number of the stream is in the row already."""

    class Meta:
        db_table = "billing_rebuilt_node"


class TenantRoom(PublicModel):
    """How much room a tenant had and used when it was last noted: for lists of tenants, whose own tables nobody reads at once."""

    tenant_id = models.UUIDField(primary_key=True)
    plan = models.CharField(max_length=40)
    used_bytes = models.BigIntegerField()
    reserved_bytes = models.BigIntegerField()
    limit_bytes = models.BigIntegerField()
    noted_at = models.DateTimeField()

    class Meta:
        db_table = "billing_tenant_room"


class Meter(TenantModel):
    """The one row about the meter as a whole."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    rebuilt_seq = models.BigIntegerField()
    """Every event up to this one is in the image and the gauges, also those that were given up on."""

    class Meta:
        db_table = "billing_meter"


class UsageGauge(TenantModel):
    """What there is now, by metric."""

    metric = models.CharField(max_length=40, primary_key=True)
    amount = models.BigIntegerField()

    class Meta:
        db_table = "billing_usage_gauge"


class UsageDay(TenantModel):
    """What there was at the end of a day (gauges), and what happened on it (flows)."""

    pk = models.CompositePrimaryKey("day", "metric")
    day = models.DateField()
    metric = models.CharField(max_length=40)
    amount = models.BigIntegerField()

    class Meta:
        db_table = "billing_usage_day"
