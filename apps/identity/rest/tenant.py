"""The tenant over REST: its name, language, zone and policies."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, structs
from rest_framework.response import Response

from apps.identity import api, dtos, errors
from apps.identity.dtos.tenants import SupportAccess
from bitvault.kernel.file_rules import FileTypes
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import View


class UpdatePolicies(Body, frozen=True):
    """Policies that are to be other; what is left out stays."""

    share_outside: dtos.OutsideSharers | UnsetType = UNSET
    guests: dtos.OutsideSharers | UnsetType = UNSET
    guest_domains: list[Annotated[str, Meta(max_length=253)]] | UnsetType = UNSET
    links_allowed: bool | UnsetType = UNSET
    link_password_required: bool | UnsetType = UNSET
    expiry_required: bool | UnsetType = UNSET
    longest_days: int | UnsetType | None = UNSET
    share_on: dtos.OnSharers | UnsetType = UNSET
    allowed_domains: list[Annotated[str, Meta(max_length=253)]] | UnsetType = UNSET
    file_types: FileTypes | UnsetType = UNSET
    file_extensions: list[Annotated[str, Meta(max_length=40)]] | UnsetType = UNSET
    largest_file_bytes: int | UnsetType | None = UNSET
    versions_keep_count: int | UnsetType | None = UNSET
    versions_keep_days: int | UnsetType | None = UNSET
    versions_thinning: bool | UnsetType = UNSET
    support_access: SupportAccess | UnsetType = UNSET


Colour = Annotated[str, Meta(pattern="^#[0-9a-fA-F]{6}$", max_length=7)]


class ChooseColours(Body, frozen=True):
    """Colours of buttons and links, as ``#rrggbb``. Without ``dark`` the one for dark pages is made of the other."""

    light: Colour
    dark: Colour | None = None


class UpdateTenant(Body, frozen=True):
    """What the tenant is to be from now on; what is left out stays. An empty ``locale`` or ``time_zone`` leaves it to the browser.

    ``colours`` of ``null`` are BitVault's own.
    """

    name: Annotated[str, Meta(max_length=120)] | None = None
    locale: Annotated[str, Meta(max_length=16)] | None = None
    time_zone: Annotated[str, Meta(max_length=64)] | None = None
    colours: ChooseColours | UnsetType | None = UNSET
    policies: UpdatePolicies | None = None


class TenantDetail(View):
    """The tenant of the caller."""

    permission_classes = [HasPermission.to(Permission.MANAGE_SETTINGS, read=None)]

    @operation(answer=dtos.TenantSettings)
    def get(self, request: ActorRequest) -> Response:
        """Read its name, language, zone, colours, logo and policies, and what these leave to the caller (`permitted`)."""
        return Response(api.get_tenant_settings(actor=request.actor))

    @operation(
        body=UpdateTenant,
        answer=dtos.TenantSettings,
        problems=(
            errors.ColourUnfit,
            errors.InvalidDomain,
            errors.InvalidLabel,
            errors.InvalidLocale,
            errors.InvalidPolicy,
            errors.InvalidTimeZone,
        ),
    )
    def patch(self, request: ActorRequest) -> Response:
        """Change them. Policies hold from the next request on, and links that they forbid open nothing."""
        body = request.body_as(UpdateTenant)
        changes = {} if body.policies is None else structs.asdict(body.policies)
        changed = api.update_tenant(
            actor=request.actor,
            name=body.name,
            locale=body.locale,
            time_zone=body.time_zone,
            accent=_to_accent(body.colours),
            policies={key: value for key, value in changes.items() if value is not UNSET},
        )
        return Response(changed)


def _to_accent(given: ChooseColours | UnsetType | None) -> tuple[str, str | None] | None:
    if isinstance(given, UnsetType):
        return None
    return ("", "") if given is None else (given.light, given.dark)
