"""What administration puts into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.kernel.permissions import Permission
from bitvault.web import shell

_sees_audit = shell.allowed(Permission.SEE_AUDIT)


shell.register(
    shell.Section(
        key="audit",
        label=_("Audit log"),
        icon="eye",
        href="/audit/",
        order=130,
        administration=True,
        visible_to=_sees_audit,
    ),
    shell.Section(
        key="features",
        label=_("Features"),
        icon="toggle",
        href="/features/",
        order=140,
        administration=True,
        visible_to=shell.allowed(Permission.MANAGE_SETTINGS),
    ),
    shell.Assets(
        key="admin_platform",
        order=85,
        styles=("admin_platform/audit.css", "admin_platform/siem.css"),
        scripts=("admin_platform/audit.js", "admin_platform/siem.js"),
        visible_to=_sees_audit,
    ),
)
