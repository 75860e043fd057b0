"""What notifications put into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.web import shell

shell.register(
    shell.Section(key="activity", label=_("Activity"), icon="restore", href="/activity/", order=75),
    shell.Part(key="notifications", slot="top", template="notifications/bell.html", order=50),
    shell.Part(key="notifications.panel", slot="overlay", template="notifications/panel_frame.html", order=50),
    shell.DetailsTab(key="activity", label=_("Activity"), order=30),
    shell.DetailsSection(key="notifications.activity", tab="activity", href="/activity/details", order=10),
    shell.NodeAction(key="notify", label=_("Notifications…"), icon="bell", group=40, order=40, single=True),
    shell.SettingsTab(
        key="notifications", label=_("Notifications"), icon="bell", href="/settings/notifications/", order=25
    ),
    shell.Assets(
        key="notifications",
        order=65,
        styles=("notifications/notifications.css",),
        scripts=(
            "notifications/notifications.js",
            "notifications/preferences.js",
            "notifications/following.js",
            "notifications/push.js",
        ),
    ),
)
