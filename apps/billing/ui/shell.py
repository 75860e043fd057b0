"""What billing puts into the frame."""

from django.utils.translation import gettext_lazy as _

from apps.billing import api
from bitvault.kernel.actor import Actor
from bitvault.kernel.permissions import Permission
from bitvault.web import shell


def _sees_usage(actor: Actor) -> bool:
    return actor.may(Permission.MANAGE_BILLING) and api.shows_usage(actor=actor)


shell.register(
    shell.Section(
        key="usage",
        label=_("Usage and plan"),
        icon="chart",
        href="/usage/",
        order=120,
        administration=True,
        visible_to=_sees_usage,
    ),
    shell.Part(
        key="billing.meter", slot="rail", template="billing/rail_meter.html", order=20, visible_to=shell.members
    ),
    shell.Assets(
        key="billing",
        order=80,
        styles=("billing/meter.css", "billing/usage.css"),
        scripts=("billing/meter.js", "billing/usage.js", "billing/scopes.js", "billing/payment.js"),
    ),
)
