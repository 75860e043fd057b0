"""What previews put into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.web import shell

shell.register(
    shell.Assets(
        key="previews",
        order=20,
        styles=("previews/thumbs.css", "previews/viewer.css"),
        scripts=("previews/thumbs.js", "previews/viewer.js"),
    ),
    shell.Part(key="previews.viewer", slot="overlay", template="previews/viewer.html", order=40),
    shell.DetailsSection(key="previews.picture", tab="details", href="/previews/details", order=10, kinds=("file",)),
    shell.NodeAction(
        key="preview",
        label=_("Preview"),
        icon="eye",
        group=10,
        order=10,
        kinds=("file",),
        single=True,
        shortcut="Enter",
    ),
)
