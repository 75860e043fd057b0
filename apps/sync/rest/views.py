"""Views of sync: parse → door → render."""

from functools import partial
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.files.errors import NameTaken, NodeLocked, RevisionMismatch
from apps.sync import api, dtos, errors
from apps.sync.rest import schemas
from bitvault.kernel.actor import Scope
from bitvault.kernel.errors import NotFound, PreconditionRequired, TooManyRequests
from bitvault.kernel.pages import BadCursor, Page
from bitvault.web.derived import require_position
from bitvault.web.limits.policies import RouteClass
from bitvault.web.operations import operation
from bitvault.web.permissions import HasScope
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class Devices(View):
    """The caller's devices."""

    # To follow the feed is to read; a token that may write nothing may keep a copy.
    permission_classes = [HasScope.of(Scope.FILES_READ)]

    @operation(answer=Page[dtos.Device])
    def get(self, request: ActorRequest) -> Response:
        """List them, newest first."""
        return Response(api.list_devices(actor=request.actor))

    @operation(
        body=schemas.RegisterDevice,
        answer=dtos.RegisteredDevice,
        status=201,
        problems=(errors.InvalidDevice, errors.TooManyDevices),
        repeatable=True,
    )
    def post(self, request: ActorRequest) -> Response:
        """Make one. Its first cursor knows nothing: the changes behind it are all that there is, and then what is new."""
        body = request.body_as(schemas.RegisterDevice)
        return self.repeatable(
            request, lambda: api.register_device(actor=request.actor, name=body.name, platform=body.platform)
        )


class DeviceDetail(View):
    """One device of the caller's."""

    permission_classes = [HasScope.of(Scope.FILES_READ)]

    @operation(status=204, problems=(NotFound,))
    def delete(self, request: ActorRequest, device_id: UUID) -> Response:
        """End it: its cursors are refused from now on, and its sockets close within a second."""
        api.end_device(actor=request.actor, device_id=device_id)
        return Response(status=204)


class Snapshots(View):
    """All that the caller reaches, at one instant."""

    needs_fresh_reach = True
    limit_class = RouteClass.HEAVY

    def choose_limit_class(self, request: Request) -> RouteClass:
        """To begin a snapshot copies the tree; its further pages are read."""
        return RouteClass.READ if "cursor" in request.query_params else RouteClass.HEAVY

    @operation(
        query=schemas.ReadSnapshot,
        answer=dtos.SnapshotPage,
        problems=(
            BadCursor,
            errors.CursorExpired,
            errors.DeviceEnded,
            errors.SnapshotBeingMade,
            errors.SnapshotFailed,
            TooManyRequests,
        ),
    )
    def get(self, request: ActorRequest) -> Response:
        """Read a page, parents first; the last one carries the cursor from which changes are read on.

        The first page of a large tree is 202 `sync.snapshot_being_made` while a job writes it down: ask again after `Retry-After` seconds.
        """
        query = request.query_as(schemas.ReadSnapshot)
        require_position(api.CONSUMER, query)
        page = api.list_snapshot(
            actor=request.actor,
            device_id=query.device_id,
            cursor=query.cursor,
            limit=query.limit,
            min_seq=query.min_seq,
        )
        return Response(page)


class Changes(View):
    """What has changed since a device last asked."""

    needs_fresh_reach = True

    @operation(
        query=schemas.ReadChanges,
        answer=dtos.Changes,
        problems=(
            BadCursor,
            errors.CursorExpired,
            errors.DeviceEnded,
            errors.SnapshotBeingMade,
            errors.SnapshotFailed,
            TooManyRequests,
        ),
    )
    def get(self, request: ActorRequest) -> Response:
        """Read a page; where `has_more` is false the device's tree is whole, as of `head_seq`.

        Where a large tree is new to the device, the answer is 202 `sync.snapshot_being_made` while a job writes it down: ask again with the
        same cursor after `Retry-After` seconds.
        """
        query = request.query_as(schemas.ReadChanges)
        require_position(api.CONSUMER, query)
        return Response(api.list_changes(actor=request.actor, cursor=query.cursor, limit=query.limit))


class Cursor(View):
    """How far a device has come."""

    permission_classes = [HasScope.of(Scope.FILES_READ)]

    @operation(
        body=schemas.Acknowledge,
        answer=dtos.Acknowledged,
        problems=(BadCursor, errors.CursorExpired, errors.DeviceEnded),
        idempotent=True,
    )
    def post(self, request: ActorRequest) -> Response:
        """Acknowledge everything up to a cursor; an older one than before changes nothing."""
        body = request.body_as(schemas.Acknowledge)
        return Response(api.acknowledge(actor=request.actor, cursor=body.cursor))


class Conflicts(View):
    """Edits that met and are not settled yet."""

    needs_fresh_reach = True

    @operation(query=schemas.ListConflicts, answer=dtos.ConflictPage, problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """Read a page, newest first; the id of a conflict is that of the copy."""
        query = request.query_as(schemas.ListConflicts)
        require_position(api.CONSUMER, query)
        return self.paginate(partial(api.list_conflicts, actor=request.actor))


class ConflictResolution(View):
    """What is right of two edits."""

    @operation(
        body=schemas.ResolveConflict,
        status=204,
        problems=(NotFound, errors.ConflictResolved, NameTaken, NodeLocked, RevisionMismatch, PreconditionRequired),
    )
    def post(self, request: ActorRequest, conflict_id: UUID) -> Response:
        """Settle it: `both` files stay, or the one that is named, under the original's name; the other goes into the trash."""
        body = request.body_as(schemas.ResolveConflict)
        seen = dtos.SeenRevisions(original=body.original_revision, copy=body.copy_revision)
        api.resolve_conflict(actor=request.actor, conflict_id=conflict_id, keep=body.keep, seen=seen)
        return Response(status=204)
