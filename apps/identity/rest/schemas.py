"""What the REST surface of identity reads."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from bitvault.kernel.actor import Scope
from bitvault.web.structs import Body


class LogIn(Body, frozen=True):
    """E-mail and password of a member of the host's tenant."""

    email: Annotated[str, Meta(max_length=254)]
    password: Annotated[str, Meta(max_length=1024)]


class CreateToken(Body, frozen=True):
    """A token to be made; it cannot be changed afterwards."""

    name: str
    scopes: Annotated[list[Scope], Meta(min_length=1)]
    expires_at: Annotated[datetime, Meta(tz=True)]


class ChangePassword(Body, frozen=True):
    """The password that is, and the one that shall be."""

    current_password: Annotated[str, Meta(max_length=1024)]
    new_password: Annotated[str, Meta(max_length=1024)]


class ForgottenPassword(Body, frozen=True):
    """Whose password was forgotten."""

    email: Annotated[str, Meta(max_length=254)]


class ResetPassword(Body, frozen=True):
    """The code of the mail, and the password that shall be."""

    code: Annotated[str, Meta(max_length=64)]
    new_password: Annotated[str, Meta(max_length=1024)]


class EmailCode(Body, frozen=True):
    """The code that was sent to the address of the account."""

    code: Annotated[str, Meta(max_length=64)]
