"""Shortcuts over REST."""

from uuid import UUID

from rest_framework.response import Response

from apps.sharing import api, errors
from apps.sharing.dtos import Shortcut
from apps.sharing.rest import schemas
from bitvault.kernel.names import InvalidName
from bitvault.kernel.pages import Page
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View

_PLACE = (InvalidName, errors.ShortcutUnfit, errors.ShortcutNameTaken)


class Shortcuts(View):
    """What the caller has put into their own files to find something of others there."""

    @operation(answer=Page[Shortcut])
    def get(self, request: ActorRequest) -> Response:
        """List all of them by name, in one page. One without `node` is broken: what it leads to is out of the caller's reach."""
        return Response(api.list_shortcuts(actor=request.actor))


class FolderShortcuts(View):
    """Those in one folder."""

    publishes = False

    @operation(answer=Page[Shortcut])
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """List them by name, in one page; they are no children of the folder, and devices are not told of them."""
        return Response(api.list_shortcuts(actor=request.actor, folder_id=node_id))

    @operation(
        body=schemas.CreateShortcut,
        answer=Shortcut,
        status=201,
        problems=(*_PLACE, errors.TooManyShortcuts),
        repeatable=True,
    )
    def post(self, request: ActorRequest, node_id: UUID) -> Response:
        """Put a shortcut to something that others share into the folder, which is one of the caller's own files. One that leads there
        already is given as it is. It gives no right: it leads to what the caller reaches anyway, as long as they do.
        """
        body = request.body_as(schemas.CreateShortcut)
        return self.repeatable(
            request,
            lambda: api.create_shortcut(actor=request.actor, folder_id=node_id, node_id=body.node_id, name=body.name),
        )


class ShortcutDetail(View):
    """One shortcut."""

    publishes = False

    @operation(body=schemas.UpdateShortcut, answer=Shortcut, problems=_PLACE)
    def patch(self, request: ActorRequest, shortcut_id: UUID) -> Response:
        """Rename it, move it to another folder of the caller's own files, or both; what it leads to is not touched."""
        body = request.body_as(schemas.UpdateShortcut)
        changed = api.update_shortcut(
            actor=request.actor, shortcut_id=shortcut_id, name=body.name, folder_id=body.folder_id
        )
        return Response(changed)

    @operation(status=204)
    def delete(self, request: ActorRequest, shortcut_id: UUID) -> Response:
        """Remove it; what it leads to is not touched."""
        api.remove_shortcut(actor=request.actor, shortcut_id=shortcut_id)
        return Response(status=204)
