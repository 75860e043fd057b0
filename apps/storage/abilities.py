"""What BitVault asks of an object store, in words: what each ability is, and what happens without it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_REFUSED = _("BitVault does not use the store.")


@dataclass(frozen=True, slots=True)
class Ability:
    """Something that a store can do, or cannot."""

    name: str
    meaning: "StrPromise"
    is_required: bool
    answer: "StrPromise"
    """What happens without it."""


ABILITIES = {
    one.name: one
    for one in (
        Ability("checksum_returned", _("tells the SHA-256 of an object"), is_required=True, answer=_REFUSED),
        Ability(
            "checksum_enforced",
            _("refuses bytes whose SHA-256 is not the signed one"),
            is_required=True,
            answer=_REFUSED,
        ),
        Ability(
            "length_enforced",
            _("refuses a body of another length than the signed one"),
            is_required=True,
            answer=_REFUSED,
        ),
        Ability(
            "type_enforced", _("refuses another Content-Type than the signed one"), is_required=True, answer=_REFUSED
        ),
        Ability(
            "encoding_enforced",
            _("refuses another Content-Encoding than the signed one"),
            is_required=True,
            answer=_REFUSED,
        ),
        Ability(
            "key_enforced", _("refuses another key or method than the signed one"), is_required=True, answer=_REFUSED
        ),
        Ability(
            "anonymous_refused",
            _("refuses a read, a write and a listing without a signature"),
            is_required=True,
            answer=_REFUSED,
        ),
        Ability(
            "overrides_honoured",
            _("answers a download with the signed type and disposition"),
            is_required=True,
            answer=_REFUSED,
        ),
        Ability(
            "part_checksum_enforced",
            _("refuses a part whose SHA-256 is not the signed one"),
            is_required=True,
            answer=_REFUSED,
        ),
        Ability(
            "composite_returned",
            _("tells the composite SHA-256 of a multipart object"),
            is_required=True,
            answer=_REFUSED,
        ),
        Ability(
            "uploads_listed",
            _("lists unfinished multipart uploads, so that they can be swept"),
            is_required=True,
            answer=_REFUSED,
        ),
        Ability(
            "batch_deleted", _("deletes several objects at once, and they are gone"), is_required=True, answer=_REFUSED
        ),
        Ability(
            "encrypted",
            _("says of an object that it is encrypted as was asked"),
            is_required=True,
            answer=_("BitVault does not use the store: ask for another encryption, or for none."),
        ),
        Ability(
            "cors_allowed",
            _("lets pages of this installation send files"),
            is_required=False,
            answer=_("Uploads in browsers fail: add CORS rules to the bucket."),
        ),
        Ability(
            "part_copy",
            _("copies unchanged parts itself"),
            is_required=False,
            answer=_("All parts of a changed file travel again."),
        ),
        Ability(
            "conditional_put",
            _("refuses to overwrite where If-None-Match: * is sent"),
            is_required=False,
            answer=_("Nothing: a key is never used twice."),
        ),
        Ability(
            "if_range_honoured",
            _("sends a download from its start when it has changed since it was broken off"),
            is_required=False,
            answer=_("Nothing here: an object never changes."),
        ),
        Ability(
            "nosniff",
            _("forbids browsers to guess the type of a download"),
            is_required=False,
            answer=_(
                "Downloads rely on their type and disposition alone; a front before the store can add the header."
            ),
        ),
    )
}
