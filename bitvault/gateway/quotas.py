"""Quotas of members and team folders: Identity says who is a member, Files where a tree begins, Billing what holds there."""

from collections.abc import Collection
from typing import Annotated
from uuid import UUID

import msgspec
from rest_framework.response import Response

from apps.billing import api as billing
from apps.billing import dtos
from apps.billing.errors import LimitsUnfit, ScopeUnknown, TooManyScopes
from apps.files import api as files
from apps.files.api import roots
from apps.identity import api as identity
from bitvault.events.api import answer_with_head
from bitvault.kernel.actor import Actor, PermissionMissing
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body, Query
from bitvault.web.views import View

SCOPES_LIMIT = 100
"""Scopes that one answer tells of: a page of members."""

Bytes = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class ListQuotas(Query, frozen=True):
    """Whose room: `user:<id>` and `folder:<id>`, with commas between, for administrators; without it the caller's own."""

    scopes: Annotated[str, msgspec.Meta(max_length=5000)] | None = None


class SetScopeLimit(Body, frozen=True):
    """What the member's own files or the team folder may hold; `warn_bytes`: where people are told before. Null for both: no limit."""

    limit_bytes: Bytes | None
    warn_bytes: Bytes | None = None


def find_roots(actor: Actor, scopes: Collection[str]) -> dict[str, UUID]:
    """Find the roots of scopes; whoever or whatever is not there, or has nothing yet, is left out.

    :raises ScopeUnknown: a scope is neither a person's nor a folder's by its form.
    """
    people: dict[UUID, str] = {}
    folders: dict[UUID, str] = {}
    for scope in scopes:
        kind, _, text = scope.partition(":")
        try:
            {"user": people, "folder": folders}[kind][UUID(text)] = scope
        except (KeyError, ValueError):
            raise ScopeUnknown from None
    members = identity.find_viewers(tenant=actor.tenant, user_ids=list(people)) if people else {}
    own = roots.find_personal_roots(user_ids=members) if members else {}
    found = {people[user_id]: root_id for user_id, root_id in own.items()}
    live = roots.find_team_folders(node_ids=folders) if folders else set()
    return found | {folders[node_id]: node_id for node_id in live}


def require_root(actor: Actor, scope: str) -> UUID:
    """Find the root of a scope; that of a member who has never opened the vault is made.

    :raises ScopeUnknown: there is no such member or team folder.
    """
    found = find_roots(actor, [scope])
    if scope in found:
        return found[scope]
    kind, _, text = scope.partition(":")
    viewers = identity.find_viewers(tenant=actor.tenant, user_ids=[UUID(text)]) if kind == "user" else {}
    for viewer in viewers.values():
        return files.ensure_personal_root(actor=viewer.actor).id
    raise ScopeUnknown


class Quotas(View):
    """How much room there is."""

    @operation(query=ListQuotas, answer=Page[dtos.Quota], problems=(PermissionMissing, ScopeUnknown, TooManyScopes))
    def get(self, request: ActorRequest) -> Response:
        """List the room of every scope that the caller's files count in; or, for administrators, of up to 100 members and team folders."""
        query = request.query_as(ListQuotas)
        if query.scopes is None:
            return Response(billing.list_quotas(actor=request.actor))
        request.actor.require_permission(Permission.MANAGE_BILLING)
        scopes = query.scopes.split(",")
        if len(scopes) > SCOPES_LIMIT:
            raise TooManyScopes(limit=SCOPES_LIMIT)
        return Response(billing.list_scope_quotas(actor=request.actor, roots=find_roots(request.actor, scopes)))


class ScopeLimit(View):
    """The limit of a member or of a team folder."""

    permission_classes = [HasPermission.to(Permission.MANAGE_BILLING)]

    @operation(body=SetScopeLimit, answer=dtos.Quota, problems=(LimitsUnfit, ScopeUnknown))
    def put(self, request: ActorRequest, scope: str) -> Response:
        """Limit what a member's own files (`user:<id>`) or a team folder (`folder:<id>`) may hold, or take that back (`null`).

        What is live counts, with all versions; the trash does not. Below what is there nothing is deleted, and nothing new fits. A move
        into a full tree is not refused: no bytes come to the vault with it.
        """
        body = request.body_as(SetScopeLimit)
        quota = billing.set_scope_limit(
            actor=request.actor,
            scope=scope,
            root_id=require_root(request.actor, scope),
            limit_bytes=body.limit_bytes,
            warn_bytes=body.warn_bytes,
        )
        answer_with_head()
        return Response(quota)
