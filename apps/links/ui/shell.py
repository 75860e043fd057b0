"""What links put into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.web import shell

shell.register(
    shell.Assets(key="links", order=35, styles=("links/links.css",), scripts=("links/app.js",)),
    shell.Part(key="links.section", slot="share", template="links/section.html", order=20),
    shell.Part(key="links.request", slot="overlay", template="links/request_dialog.html", order=45),
    shell.NodeAction(
        key="request-files",
        label=_("Request files"),
        icon="user-in",
        group=15,
        order=20,
        kinds=("folder",),
        single=True,
        writes=True,
        visible_to=shell.members,
    ),
)
