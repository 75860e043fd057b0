"""Whether payment is set up whole, where a provider collects it."""

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext as _

from apps.billing.api import paying
from bitvault.gateway.findings import Finding

NAMED = 5
"""Prices that a finding names."""


def check_payment() -> Sequence[Finding]:
    """Whether payment is set up whole, where a provider collects it."""
    found = paying.check_payment()
    name, page = "payment", f"{settings.BITVAULT_BASE_URL}/payment/stripe"
    if not found.is_chosen:
        return [Finding(name, "good", _("No payment service is set up: statements are invoiced by hand."))]
    if not found.has_key:
        mend = _("Set BITVAULT_STRIPE_KEY, or the setting billing.stripe_key: until then nobody can choose a plan.")
        return [Finding(name, "bad", _("Stripe is to collect payment, and there is no key for it."), mend)]
    wrong = []
    if found.failure:
        mend = _("See whether the key is right and the way to api.stripe.com is open. Nothing else is held up.")
        wrong.append(
            Finding(
                name, "bad", _("Stripe does not answer as it should: %(failure)s.") % {"failure": found.failure}, mend
            )
        )
    if not found.has_webhook_secret:
        mend = _("Make a webhook endpoint at Stripe for %(page)s, and set BITVAULT_STRIPE_WEBHOOK_SECRET.") % {
            "page": page
        }
        wrong.append(Finding(name, "bad", _("There is no signing secret: no notice of Stripe is taken."), mend))
    if not found.has_prices:
        mend = _("Name the price at Stripe of each plan that is for sale, under Plans in Django admin.")
        wrong.append(Finding(name, "warning", _("No plan has a price at Stripe: none can be chosen."), mend))
    if found.missing_prices:
        names = ", ".join(found.missing_prices[:NAMED])
        mend = _("Correct them under Plans in Django admin, or activate them at Stripe.")
        wrong.append(
            Finding(
                name,
                "bad",
                _("Stripe does not have these prices, or not any more: %(names)s.") % {"names": names},
                mend,
            )
        )
    if found.failing_count:
        fact = _("The payment of %(count)s tenants has an error.") % {"count": found.failing_count}
        wrong.append(Finding(name, "warning", fact, _("See Payment in Django admin.")))
    return wrong or [Finding(name, "good", _("Stripe answers, and has the prices of all plans."))]
