"""The module's REST views: parse, door, render."""

from functools import partial

from rest_framework.response import Response

from apps.example_module import api, dtos
from bitvault.kernel.pages import BadCursor, Page
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class Versions(View):
    """Versions that the caller has committed."""

    @operation(query=PageQuery, answer=Page[dtos.CommittedVersion], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """List them, newest first."""
        return self.paginate(partial(api.list_versions, actor=request.actor))
