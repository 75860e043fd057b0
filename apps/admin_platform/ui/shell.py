"""What administration puts into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.kernel.actor import Actor
from bitvault.web import shell


def _administers(actor: Actor) -> bool:
    return actor.administers


shell.register(
    shell.Section(
        key="audit",
        label=_("Audit log"),
        icon="eye",
        href="/audit/",
        order=130,
        administration=True,
        visible_to=_administers,
    ),
    shell.Assets(
        key="admin_platform",
        order=85,
        styles=("admin_platform/audit.css",),
        scripts=("admin_platform/audit.js",),
        visible_to=_administers,
    ),
)
