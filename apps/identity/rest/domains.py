"""Domains of the tenant over REST."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta
from rest_framework.response import Response

from apps.identity import dtos, errors
from apps.identity.api import domains as api
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import View


class AddDomain(Body, frozen=True):
    """A host name, like `files.example.org`."""

    domain: Annotated[str, Meta(max_length=253)]


class ChangeDomain(Body, frozen=True):
    """Whether mails name it."""

    is_primary: bool


class Domains(View):
    """Host names of the vault's own."""

    permission_classes = [HasPermission.to(Permission.MANAGE_SETTINGS)]

    @operation(answer=Page[dtos.OwnDomain])
    def get(self, request: ActorRequest) -> Response:
        """List them by name, all in one page; each tells the TXT record that proves it."""
        return Response(api.list_domains(actor=request.actor))

    @operation(
        body=AddDomain,
        answer=dtos.OwnDomain,
        status=201,
        idempotent=True,
        problems=(errors.InvalidDomain, errors.DomainTaken, errors.TooManyDomains),
    )
    def post(self, request: ActorRequest) -> Response:
        """Add one. It leads to the vault once the TXT record `record_name` has been found to hold `record_value`. One that was added
        before is answered as it is.
        """
        made = api.add_domain(actor=request.actor, domain=request.body_as(AddDomain).domain)
        return Response(made, status=201)


class DomainDetail(View):
    """One of them."""

    permission_classes = [HasPermission.to(Permission.MANAGE_SETTINGS)]

    @operation(body=ChangeDomain, answer=dtos.OwnDomain, problems=(errors.DomainUnproved,))
    def patch(self, request: ActorRequest, domain_id: UUID) -> Response:
        """Let mails name it, or the vault's address below the installation again."""
        body = request.body_as(ChangeDomain)
        changed = api.choose_primary_domain(actor=request.actor, domain_id=domain_id, is_primary=body.is_primary)
        return Response(changed)

    @operation(status=204)
    def delete(self, request: ActorRequest, domain_id: UUID) -> Response:
        """Remove it: it leads to the vault no more."""
        api.remove_domain(actor=request.actor, domain_id=domain_id)
        return Response(status=204)


class DomainCheck(View):
    """A look at its record."""

    permission_classes = [HasPermission.to(Permission.MANAGE_SETTINGS)]

    @operation(answer=dtos.OwnDomain, idempotent=True)
    def post(self, request: ActorRequest, domain_id: UUID) -> Response:
        """Look at the record now, for five seconds at most: `state` and `problem` tell what was found. Without it, names are looked at
        each day; one whose record is away for a week leads here no more.
        """
        return Response(api.check_domain(actor=request.actor, domain_id=domain_id))
