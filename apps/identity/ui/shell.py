"""What identity puts into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.kernel.permissions import SEEING_MEMBERS, Permission
from bitvault.web import shell

shell.register(
    shell.Section(
        key="members",
        label=_("Members"),
        icon="user",
        href="/members/",
        order=110,
        administration=True,
        visible_to=shell.allowed(*SEEING_MEMBERS),
    ),
    shell.Section(
        key="groups",
        label=_("Groups"),
        icon="users",
        href="/groups/",
        order=115,
        administration=True,
        visible_to=shell.allowed(Permission.MANAGE_GROUPS),
    ),
    shell.Section(
        key="roles",
        label=_("Roles"),
        icon="key",
        href="/roles/",
        order=117,
        administration=True,
        visible_to=shell.allowed(Permission.MANAGE_ROLES),
    ),
    shell.Section(
        key="settings", label=_("Settings"), icon="settings", href="/settings/", order=90, visible_to=shell.everybody
    ),
    shell.Assets(
        key="identity",
        order=60,
        styles=("identity/settings.css", "identity/members.css"),
        scripts=(
            "identity/avatars.js",
            "identity/pictures.js",
            "identity/colours.js",
            "identity/settings.js",
            "identity/team.js",
            "identity/file_rules.js",
            "identity/versions.js",
            "identity/domains.js",
            "identity/members.js",
            "identity/groups.js",
            "identity/roles.js",
        ),
    ),
    shell.Part(key="identity.impersonation", slot="banner", template="identity/impersonation_banner.html", order=5),
    shell.Part(key="identity.deletion", slot="banner", template="identity/deletion_banner.html", order=10),
    shell.Part(key="identity.proof", slot="rail", template="identity/rail_proof.html", order=10),
    shell.SettingsTab(key="profile", label=_("Profile"), icon="user", href="/settings/", order=10),
    shell.SettingsTab(key="security", label=_("Security"), icon="key", href="/settings/security/", order=20),
    shell.SettingsTab(key="tokens", label=_("API tokens"), icon="key", href="/settings/tokens/", order=40),
    shell.SettingsTab(
        key="team",
        label=_("Team"),
        icon="users",
        href="/settings/team/",
        order=80,
        visible_to=shell.allowed(Permission.MANAGE_SETTINGS),
    ),
    shell.SettingsTab(
        key="domains",
        label=_("Domains"),
        icon="link",
        href="/settings/domains/",
        order=85,
        visible_to=shell.allowed(Permission.MANAGE_SETTINGS),
    ),
    shell.AccountItem(key="settings", label=_("Settings"), icon="settings", href="/settings/", order=10),
    shell.AccountItem(key="vaults", label=_("Other vaults"), icon="device", href="/vaults/", order=20, leaves=True),
    shell.AccountItem(key="sign-out", label=_("Sign out"), icon="sign-out", href="/sign-out/", order=90, posts=True),
)
