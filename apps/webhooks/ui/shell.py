"""What webhooks put into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.kernel.actor import Actor
from bitvault.web import shell


def _administers(actor: Actor) -> bool:
    return actor.administers


shell.register(
    shell.SettingsTab(
        key="webhooks", label=_("Webhooks"), icon="link", href="/settings/webhooks/", order=50, visible_to=_administers
    ),
    shell.Assets(
        key="webhooks",
        order=75,
        styles=("webhooks/webhooks.css",),
        scripts=("webhooks/lookup.js", "webhooks/app.js"),
        visible_to=_administers,
    ),
)
