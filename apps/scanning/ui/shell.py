"""What scanning puts into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.kernel import scanning
from bitvault.kernel.actor import Actor
from bitvault.kernel.permissions import Permission
from bitvault.web import shell

_manages = shell.allowed(Permission.MANAGE_SETTINGS)


def _is_scanned(actor: Actor) -> bool:
    """Tell whether rows can have marks: nothing is asked about where nothing is scanned."""
    return not actor.is_guest and scanning.current().mode != "off"


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
        key="scanning.marks",
        order=77,
        styles=("scanning/marks.css",),
        scripts=("scanning/marks.js",),
        visible_to=_is_scanned,
    ),
    shell.Assets(key="scanning", order=74, styles=("scanning/details.css",), visible_to=shell.members),
    shell.DetailsSection(
        key="scanning.state",
        tab="details",
        label=_("Malware scan"),
        href="/scanning/details",
        order=37,
        kinds=("file",),
        visible_to=shell.members,
    ),
)
