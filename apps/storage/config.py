"""What operators change of storage while it runs."""

from typing import Annotated

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from bitvault.kernel.config import Setting, declare

MOVE_KEPT_DAYS: Setting[int] = declare(
    Setting(
        key="storage.move_kept_days",
        type=Annotated[int, msgspec.Meta(ge=1, le=365)],
        default=lambda: 7,
        description=_(
            "For how many days after a move to another object store the objects in the old one are kept: so long the way back is short."
        ),
        owner="Storage",
    )
)

SCRUB_DAYS: Setting[int] = declare(
    Setting(
        key="storage.scrub_days",
        type=Annotated[int, msgspec.Meta(ge=0, le=3650)],
        default=lambda: int(settings.BITVAULT_SCRUB_DAYS),
        description=_(
            "Within how many days each object is read and compared with its hashes; 0: never, where the store does that itself."
        ),
        owner="Storage",
        variable="BITVAULT_SCRUB_DAYS",
    )
)
