"""What operators change of payment while it runs."""

from typing import Annotated, Literal, cast

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from bitvault.kernel.config import Setting, declare

Provider = Literal["", "stripe"]

_Key = Annotated[str, msgspec.Meta(max_length=500, pattern="^[!-~]*$")]

PAYMENT: Setting[Provider] = declare(
    Setting(
        key="billing.payment",
        type=Provider,
        default=lambda: cast("Provider", settings.BITVAULT_PAYMENT),
        description=_("Who collects payment for plans: stripe. Empty: nobody; statements are invoiced by hand."),
        owner="Billing and metering",
        variable="BITVAULT_PAYMENT",
    )
)

STRIPE_KEY: Setting[str] = declare(
    Setting(
        key="billing.stripe_key",
        type=_Key,
        default=lambda: str(settings.BITVAULT_STRIPE["key"]),
        description=_("The secret or restricted key of the account at Stripe (sk_… or rk_…)."),
        owner="Billing and metering",
        variable="BITVAULT_STRIPE_KEY",
        is_secret=True,
    )
)

STRIPE_WEBHOOK_SECRET: Setting[str] = declare(
    Setting(
        key="billing.stripe_webhook_secret",
        type=_Key,
        default=lambda: str(settings.BITVAULT_STRIPE["webhook_secret"]),
        description=_(
            "The signing secret of the webhook endpoint at Stripe: whsec_…; while it is being rolled, both, separated by a comma."
        ),
        owner="Billing and metering",
        variable="BITVAULT_STRIPE_WEBHOOK_SECRET",
        is_secret=True,
    )
)
