"""What files puts into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.kernel.permissions import Permission
from bitvault.web import shell

_manages_retention = shell.allowed(Permission.MANAGE_RETENTION)

shell.register(
    shell.Section(
        key="files", label=_("My files"), icon="folder", href="/files/", order=10, attributes={"drop-root": ""}
    ),
    shell.Section(
        key="teams",
        label=_("Team folders"),
        icon="folder-users",
        href="/teams/",
        order=20,
        template="files/rail_teams.html",
    ),
    shell.Section(key="trash", label=_("Trash"), icon="trash", href="/trash/", order=80, attributes={"drop-trash": ""}),
    shell.Assets(
        key="files",
        order=10,
        styles=tuple(
            f"files/{name}.css"
            for name in (
                "bars",
                "list",
                "list-phone",
                "tiles",
                "dialogs",
                "tray",
                "teams",
                "details",
                "editor",
                "rewind",
                "retention",
            )
        ),
        scripts=("files/app.js",),
    ),
    shell.Part(key="files.tray", slot="overlay", template="files/tray.html", order=10),
    shell.Part(key="files.dialogs", slot="overlay", template="files/dialogs.html", order=20),
    shell.Part(key="files.rewind", slot="overlay", template="files/rewind.html", order=25),
    shell.Part(key="files.rewind-command", slot="folder", template="files/rewind_command.html", order=80),
    shell.Part(key="files.details", slot="overlay", template="files/details.html", order=30),
    shell.Part(key="files.details-command", slot="folder", template="files/details_command.html", order=90),
    shell.DetailsTab(key="details", label=_("Details"), order=10),
    shell.DetailsSection(
        key="files.properties",
        tab="details",
        label=_("Properties"),
        href="/files/details/properties",
        order=20,
        many=True,
    ),
    shell.DetailsSection(
        key="files.versions",
        tab="details",
        label=_("Versions"),
        href="/files/details/versions",
        order=50,
        kinds=("file",),
    ),
    shell.DetailsSection(
        key="files.retention", tab="details", label=_("Retention"), href="/files/details/retention", order=25
    ),
    shell.DetailsSection(
        key="files.rules",
        tab="details",
        label=_("Rules for files"),
        href="/files/details/rules",
        order=22,
        kinds=("folder",),
    ),
    shell.Part(key="files.rules", slot="overlay", template="files/folder_rules.html", order=26),
    shell.SettingsTab(
        key="retention",
        label=_("Retention"),
        icon="lock",
        href="/settings/retention/",
        order=70,
        visible_to=_manages_retention,
    ),
    shell.Assets(key="files.retention", order=11, scripts=("files/retention/page.js",), visible_to=_manages_retention),
    shell.NodeAction(
        key="hold",
        label=_("Put on legal hold…"),
        icon="lock",
        group=45,
        order=20,
        kinds=("folder",),
        single=True,
        visible_to=_manages_retention,
    ),
    shell.Part(key="files.editor", slot="overlay", template="files/editor.html", order=30),
    shell.Part(key="files.team", slot="share", template="files/team_section.html", order=90),
    shell.NodeAction(
        key="open", label=_("Open"), icon="folder", group=10, order=10, kinds=("folder",), single=True, shortcut="Enter"
    ),
    shell.NodeAction(key="download", label=_("Download"), icon="download", group=10, order=20),
    shell.NodeAction(
        key="rename", label=_("Rename"), icon="pencil", group=20, order=10, single=True, writes=True, shortcut="F2"
    ),
    shell.NodeAction(key="move", label=_("Move to…"), icon="folder-move", group=20, order=20, writes=True),
    shell.NodeAction(key="copy", label=_("Copy…"), icon="copy", group=20, order=24),
    shell.NodeAction(key="duplicate", label=_("Make a copy"), icon="copy", group=20, order=26, writes=True),
    shell.NodeAction(
        key="edit", label=_("Edit"), icon="type-text", group=10, order=15, kinds=("file",), single=True, writes=True
    ),
    shell.NodeAction(
        key="extract",
        label=_("Extract here"),
        icon="type-archive",
        group=20,
        order=28,
        kinds=("file",),
        single=True,
        writes=True,
    ),
    shell.NodeAction(
        key="versions", label=_("Version history"), icon="restore", group=20, order=30, kinds=("file",), single=True
    ),
    shell.NodeAction(
        key="lock", label=_("Lock…"), icon="lock", group=40, order=30, kinds=("file",), single=True, writes=True
    ),
    shell.NodeAction(
        key="relock",
        label=_("Change lock…"),
        icon="lock",
        group=40,
        order=31,
        kinds=("file",),
        single=True,
        writes=True,
    ),
    shell.NodeAction(
        key="unlock", label=_("Unlock"), icon="unlock", group=40, order=32, kinds=("file",), single=True, writes=True
    ),
    shell.NodeAction(
        key="force-unlock",
        label=_("End lock…"),
        icon="unlock",
        group=40,
        order=33,
        kinds=("file",),
        single=True,
        writes=True,
    ),
    shell.NodeAction(
        key="rewind",
        label=_("Rewind this folder…"),
        icon="restore",
        group=20,
        order=35,
        kinds=("folder",),
        single=True,
        writes=True,
    ),
    shell.NodeAction(
        key="details", label=_("Details"), icon="info", group=45, order=10, shortcut="Ctrl+I", in_toolbar=True
    ),
    shell.NodeAction(
        key="trash",
        label=_("Move to trash"),
        icon="trash",
        group=90,
        order=10,
        writes=True,
        shortcut="Del",
        danger=True,
    ),
)
