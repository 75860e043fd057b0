"""What links put into the frame."""

from bitvault.web import shell

shell.register(
    shell.Assets(key="links", order=35, styles=("links/links.css",), scripts=("links/app.js",)),
    shell.Part(key="links.section", slot="share", template="links/section.html", order=20),
)
