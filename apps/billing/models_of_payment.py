"""Tables of payment by a provider. All that is kept of people is the provider's own ids: names, addresses and cards stay there."""

from django.db import models

from bitvault.kernel.models import PublicModel, TenantModel, id_field


class PlanPrice(PublicModel):
    """What a plan is called at the provider: the price of a month, or of what is used of one metric."""

    id = id_field()
    plan = models.ForeignKey("billing.Plan", on_delete=models.CASCADE, related_name="provider_prices")
    metric = models.CharField(max_length=40)
    """``plan``, or a metric that is reported."""
    price_id = models.CharField("price at the provider", max_length=255, unique=True)
    event_name = models.CharField("event of the meter", max_length=100, blank=True, default="")
    """Under which name usage is reported."""

    class Meta:
        db_table = "billing_plan_price"
        constraints = [models.UniqueConstraint(fields=["plan", "metric"], name="billing_plan_price_once")]

    def __str__(self) -> str:
        return f"{self.metric}: {self.price_id}"


class PaymentAccount(PublicModel):
    """A tenant as the provider knows it, and what it said of its subscription when it was asked last."""

    tenant_id = models.UUIDField(primary_key=True)
    customer_id = models.CharField(max_length=255, unique=True)
    subscription_id = models.CharField(max_length=255, blank=True, default="")
    status = models.CharField(max_length=20, blank=True, default="")
    """The provider's word; empty: there has been no subscription."""
    paid_plan = models.CharField(max_length=40, blank=True, default="")
    """The plan that the subscription is for; empty: none that is known."""
    applied_plan = models.CharField(max_length=40, blank=True, default="")
    """The plan that was set last because of payment: it is set once, and an operator's later choice stands."""
    chosen_plan = models.CharField(max_length=40, blank=True, default="", db_default="")
    chosen_by = models.UUIDField(null=True)
    """Which plan somebody has gone to pay for last, and who."""
    period_ends_at = models.DateTimeField(null=True)
    cancels_at = models.DateTimeField(null=True)
    overdue_since = models.DateTimeField(null=True)
    grace_ends_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    claim_id = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    """Who asks the provider at this moment: one at a time."""
    usage_since = models.DateTimeField(null=True)
    """From when on what is used is the subscription's."""
    refreshed_at = models.DateTimeField(null=True)
    noticed_at = models.DateTimeField(null=True)
    """When the provider's last notice came."""
    error = models.CharField(max_length=500, blank=True, default="")
    """What went wrong last; empty once something has gone well."""
    error_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "billing_payment_account"
        indexes = [
            # Whom has nobody asked about for a day?
            models.Index(fields=["refreshed_at"], name="billing_payment_refreshed"),
            # Whose time of grace ends?
            models.Index(
                fields=["grace_ends_at"],
                condition=models.Q(grace_ends_at__isnull=False),
                name="billing_payment_grace",
            ),
        ]


class NoticeState(models.TextChoices):
    """``ignored``: nothing follows from such a notice, or it is about nobody that is known here."""

    WAITING = "waiting"
    DONE = "done"
    IGNORED = "ignored"
    FAILED = "failed"


class PaymentNotice(PublicModel):
    """A notice of the provider that came with a good signature. What it says in full stays there: bodies have names and addresses."""

    id = models.CharField(max_length=255, primary_key=True)
    """The provider's: a notice that comes again is known by it."""
    kind = models.CharField(max_length=100)
    customer_id = models.CharField(max_length=255, blank=True, default="")
    object_id = models.CharField(max_length=255, blank=True, default="")
    tenant_id = models.UUIDField(null=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=NoticeState.choices)
    error = models.CharField(max_length=500, blank=True, default="")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "billing_payment_notice"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=NoticeState.values), name="billing_payment_notice_state"
            )
        ]
        indexes = [
            # Which came last, and which are old enough to be forgotten?
            models.Index(fields=["received_at"], name="billing_payment_notice_age"),
        ]


class UsageReport(TenantModel):
    """How far the usage of a month above what the plan includes was reported, in thousandths of the unit that is priced."""

    pk = models.CompositePrimaryKey("month", "metric")
    month = models.DateField()
    """Its first day."""
    metric = models.CharField(max_length=40)
    reported = models.BigIntegerField(default=0)
    number = models.PositiveIntegerField(default=0)
    """How many reports were begun: it makes the name by which the provider knows a repeated one."""
    pending = models.BigIntegerField(null=True)
    """What is being reported now; ``NULL``: nothing."""
    tried_at = models.DateTimeField(null=True)
    """Since when nobody knows whether the pending report has arrived."""
    is_in_doubt = models.BooleanField(default=False)
    """The provider forgets such names after a day, and would count it twice: operators look there and decide."""

    class Meta:
        db_table = "billing_usage_report"
