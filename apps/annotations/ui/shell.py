"""What annotations put into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.kernel.permissions import Permission
from bitvault.web import shell

shell.register(
    shell.Section(key="recents", label=_("Recent"), icon="clock", href="/recents/", order=40),
    shell.Section(
        key="favourites",
        label=_("Favourites"),
        icon="star",
        href="/favourites/",
        order=42,
        visible_to=shell.everybody,
    ),
    shell.Part(key="annotations.tags", slot="overlay", template="annotations/tags_dialog.html", order=45),
    shell.Part(
        key="annotations.filter",
        slot="folder",
        template="annotations/folder_command.html",
        order=80,
        visible_to=shell.members,
    ),
    shell.Part(key="annotations.description", slot="heading", template="annotations/folder_description.html", order=10),
    shell.DetailsSection(
        key="annotations.description",
        tab="details",
        label=_("Description"),
        href="/annotations/details/description",
        order=25,
        kinds=("folder",),
    ),
    shell.DetailsSection(
        key="annotations.tags",
        tab="details",
        label=_("Tags"),
        href="/annotations/details/tags",
        order=30,
        visible_to=shell.members,
    ),
    shell.NodeAction(
        key="tags", label=_("Tags…"), icon="tag", group=40, order=20, writes=True, visible_to=shell.members
    ),
    shell.DetailsTab(key="comments", label=_("Comments"), order=20),
    shell.DetailsSection(key="annotations.comments", tab="comments", href="/annotations/details/comments", order=10),
    shell.NodeAction(key="comments", label=_("Comments"), icon="comment", group=45, order=5, single=True),
    shell.Section(key="tags", label=_("Tags"), icon="tag", href="/tags/", order=44),
    shell.DetailsSection(
        key="annotations.metadata",
        tab="details",
        label=_("Metadata"),
        href="/annotations/details/metadata",
        order=35,
    ),
    shell.Section(
        key="metadata",
        label=_("Metadata"),
        icon="form",
        href="/metadata/",
        order=118,
        administration=True,
        visible_to=shell.allowed(Permission.MANAGE_METADATA),
    ),
    shell.Assets(
        key="annotations",
        order=40,
        styles=(
            "annotations/annotations.css",
            "annotations/comments.css",
            "annotations/descriptions.css",
            "annotations/metadata.css",
        ),
        scripts=("annotations/app.js",),
    ),
    shell.NodeAction(key="favourite", label=_("Add to favourites"), icon="star", group=40, order=10),
    shell.NodeAction(key="unfavourite", label=_("Remove from favourites"), icon="star-filled", group=40, order=11),
)
