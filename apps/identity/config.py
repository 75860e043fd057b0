"""What operators change of identity while it runs."""

from typing import Annotated

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from bitvault.kernel.config import Setting, declare

SIGN_UP_OPEN: Setting[bool] = declare(
    Setting(
        key="identity.sign_up_open",
        type=bool,
        default=lambda: bool(settings.BITVAULT_SIGN_UP_OPEN),
        description=_("Whether strangers may make a vault of their own."),
        owner="Identity and access",
        variable="BITVAULT_SIGN_UP_OPEN",
    )
)

TENANT_DELETION_DAYS: Setting[int] = declare(
    Setting(
        key="identity.tenant_deletion_days",
        type=Annotated[int, msgspec.Meta(ge=0, le=365)],
        default=lambda: int(settings.BITVAULT_TENANT_DELETION_DAYS),
        description=_(
            "Days that a vault waits for its deletion, in which it can be taken back. Deletions that wait already keep their day."
        ),
        owner="Identity and access",
        variable="BITVAULT_TENANT_DELETION_DAYS",
    )
)

IMPERSONATION_LONGEST_MINUTES: Setting[int] = declare(
    Setting(
        key="identity.impersonation_longest_minutes",
        type=Annotated[int, msgspec.Meta(ge=0, le=60)],
        default=lambda: 60,
        description=_("Minutes that support looks at a tenant as one of its members at most; 0: never."),
        owner="Identity and access",
    )
)
