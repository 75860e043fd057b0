"""Feature flags of billing."""

from django.utils.translation import gettext_lazy as _

from bitvault.kernel.flags import Flag, declare

USAGE_PAGE = declare(
    Flag(
        key="billing.usage_page",
        default=True,
        description=_(
            "The page of usage and plan, for owners and administrators. Off where nobody pays and plans mean nothing."
        ),
        owner="Billing and metering",
        ends=None,
    )
)
