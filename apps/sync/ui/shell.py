"""What sync puts into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.web import shell

shell.register(
    shell.Section(
        key="conflicts",
        label=_("Conflicts"),
        icon="copy",
        href="/conflicts/",
        order=70,
        counter=True,
        hidden_at_zero=True,
        visible_to=shell.everybody,
    ),
    shell.SettingsTab(key="devices", label=_("Devices"), icon="device", href="/settings/devices/", order=30),
    shell.Assets(
        key="sync", order=70, styles=("sync/conflicts.css",), scripts=("sync/conflicts.js", "sync/devices.js")
    ),
)
