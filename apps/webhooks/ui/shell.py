"""What webhooks put into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.kernel.permissions import Permission
from bitvault.web import shell

_manages = shell.allowed(Permission.MANAGE_WEBHOOKS)


shell.register(
    shell.SettingsTab(
        key="webhooks", label=_("Webhooks"), icon="link", href="/settings/webhooks/", order=50, visible_to=_manages
    ),
    shell.Assets(
        key="webhooks",
        order=75,
        styles=("webhooks/webhooks.css",),
        scripts=("webhooks/app.js",),
        visible_to=_manages,
    ),
)
