"""What sharing puts into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.web import shell

shell.register(
    shell.Section(
        key="shared", label=_("Shared with me"), icon="user-in", href="/shared/", order=30, visible_to=shell.everybody
    ),
    shell.Section(key="shared-by-me", label=_("Shared by me"), icon="user-out", href="/shared/by-me/", order=35),
    shell.Assets(
        key="sharing",
        order=30,
        styles=("sharing/dialog.css", "sharing/pages.css", "sharing/shortcuts.css"),
        scripts=("sharing/app.js",),
    ),
    shell.Part(key="sharing.dialog", slot="overlay", template="sharing/dialog.html", order=40),
    shell.Part(key="sharing.ask", slot="missing", template="sharing/ask.html", order=10, visible_to=shell.members),
    shell.Part(
        key="sharing.folder", slot="folder", template="sharing/folder_command.html", order=10, visible_to=shell.members
    ),
    shell.Part(
        key="sharing.shortcuts",
        slot="heading",
        template="sharing/shelf.html",
        order=20,
        visible_to=shell.members,
    ),
    shell.NodeAction(
        key="shortcut",
        label=_("Add shortcut to my files…"),
        icon="shortcut",
        group=30,
        order=50,
        single=True,
        visible_to=shell.members,
    ),
    shell.DetailsSection(
        key="sharing.people",
        tab="details",
        label=_("People with access"),
        href="/shared/details",
        order=40,
        visible_to=shell.members,
    ),
    shell.NodeAction(
        key="share",
        label=_("Share"),
        icon="share",
        group=15,
        order=10,
        single=True,
        shortcut="Alt+Enter",
        in_toolbar=True,
        visible_to=shell.members,
    ),
)
