"""Views of what was: parse → door → render."""

from uuid import UUID

from rest_framework.response import Response

from apps.files import errors
from apps.files.api import history
from apps.files.dtos.history import PastChildren
from apps.files.rest import schemas
from bitvault.events.api import BeyondHead
from bitvault.kernel.pages import BadCursor
from bitvault.web.derived import Lagging, require_position
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class NodeHistory(View):
    """A folder as it was."""

    @operation(
        query=schemas.ListPast,
        answer=PastChildren,
        problems=(
            errors.NotAFolder,
            errors.BadMoment,
            errors.HistoryTooShort,
            errors.NotThereThen,
            BeyondHead,
            BadCursor,
            Lagging,
        ),
    )
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """Read a page of what lay in a folder at a moment, folders first, by name; each item says what has become of it since.

        What the caller may not see where it is now is left out. The bytes of a file as it was: `/nodes/{id}/content?as_of=`.
        """
        query = request.query_as(schemas.ListPast)
        require_position(history.CONSUMER, query)
        return Response(
            history.list_children_as_of(
                actor=request.actor, node_id=node_id, as_of=query.as_of, limit=query.limit, cursor=query.cursor
            )
        )
