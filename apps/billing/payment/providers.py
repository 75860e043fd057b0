"""Which provider there is, by the settings of the moment."""

from django.conf import settings

from apps.billing.config import PAYMENT, STRIPE_KEY, STRIPE_WEBHOOK_SECRET
from apps.billing.errors import PaymentOff
from apps.billing.payment.port import Provider
from apps.billing.payment.stripe_adapter import Stripe


def is_on() -> bool:
    """Tell whether a provider collects payment."""
    return PAYMENT.get() == "stripe" and bool(STRIPE_KEY.get())


def get_provider() -> Provider:
    """Give the provider.

    :raises PaymentOff: there is none.
    """
    if not is_on():
        raise PaymentOff
    return Stripe(
        key=STRIPE_KEY.get(),
        webhook_secret=STRIPE_WEBHOOK_SECRET.get(),
        url=settings.BITVAULT_STRIPE["url"],
    )
