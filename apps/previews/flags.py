"""Feature flags of previews."""

from django.utils.translation import gettext_lazy as _

from apps.previews.types import Kind
from bitvault.kernel.flags import Flag, declare

EVERYTHING, PICTURES, NOTHING = "everything", "pictures", "nothing"

ENGINE = declare(
    Flag(
        key="previews.engine",
        default=EVERYTHING,
        description=_(
            "What is drawn: everything, pictures alone (no document is opened), or nothing. Less while a library has a known hole."
        ),
        owner="Previews",
        ends=None,
        variants=(EVERYTHING, PICTURES, NOTHING),
        for_tenants=True,
    )
)


def find_drawn() -> tuple[Kind, ...]:
    """Tell of which kinds of content pictures are made for the entered tenant."""
    drawn: dict[str, tuple[Kind, ...]] = {EVERYTHING: ("image", "pdf"), PICTURES: ("image",)}
    return drawn.get(ENGINE.value(), ())
