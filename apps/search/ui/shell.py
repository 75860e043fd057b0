"""What search puts into the frame."""

from bitvault.web import shell

shell.register(
    shell.Part(key="search", slot="top", template="search/box.html", order=10),
    shell.Assets(key="search", order=60, styles=("search/search.css",), scripts=("search/search.js",)),
)
