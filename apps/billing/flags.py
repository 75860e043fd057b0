"""Feature flags of billing."""

from bitvault.kernel.flags import Flag, declare

USAGE_PAGE = declare(
    Flag(
        key="billing.usage_page",
        default=True,
        description="The page of usage and plan, for owners and administrators. Off where nobody pays and plans mean nothing.",
        owner="Billing and metering",
        ends=None,
    )
)
