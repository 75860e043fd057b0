"""What scanning puts into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.kernel.permissions import Permission
from bitvault.web import shell

_manages = shell.allowed(Permission.MANAGE_SETTINGS)


shell.register(
    shell.SettingsTab(
        key="scanning", label=_("Malware"), icon="warning", href="/settings/scanning/", order=55, visible_to=_manages
    ),
    shell.Assets(
        key="scanning.settings",
        order=76,
        styles=("scanning/scanning.css",),
        scripts=("scanning/settings.js",),
        visible_to=_manages,
    ),
    shell.Assets(
        key="scanning",
        order=74,
        styles=("scanning/marks.css", "scanning/details.css"),
        scripts=("scanning/marks.js",),
    ),
    shell.DetailsSection(
        key="scanning.state",
        tab="details",
        label=_("Malware scan"),
        href="/scanning/details",
        order=37,
        kinds=("file",),
    ),
)
