"""What billing puts into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.web import shell

shell.register(
    shell.Section(
        key="usage",
        label=_("Usage and plan"),
        icon="info",
        href="/usage/",
        order=120,
        administration=True,
        visible_to=lambda actor: actor.administers,
    ),
    shell.Part(key="billing.meter", slot="rail", template="billing/rail_meter.html", order=20),
    shell.Assets(
        key="billing",
        order=80,
        styles=("billing/meter.css", "billing/usage.css"),
        scripts=("billing/meter.js", "billing/usage.js"),
    ),
)
