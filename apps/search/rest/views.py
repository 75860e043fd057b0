"""Search's REST views: parse → door → render."""

from uuid import UUID

from rest_framework.response import Response

from apps.files.errors import NotAFile
from apps.search import api, errors
from apps.search.dtos import Results, SearchedText, Suggestions
from apps.search.rest import schemas
from bitvault.kernel.pages import BadCursor
from bitvault.web.derived import require_position
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class Search(View):
    """Finding files and folders."""

    @operation(
        query=schemas.SearchQuery,
        answer=Results,
        problems=(errors.NothingToSearchFor, errors.QueryTooLong, errors.FilterInvalid, BadCursor),
    )
    def get(self, request: ActorRequest) -> Response:
        """Find what the caller may see by names, by the text inside files and by comments and descriptions; names come before texts.

        `q` takes words, "phrases", -not and filters (`type:pdf owner:anna tag:urgent in:Reports locked:yes held:yes size:>10MB`).
        `tag` names a tag, or is its id. With `trashed` (or `in:trash`) it is the trash that is searched. With `facets` what was found is
        counted by kind, type, owner, tag and time.
        """
        query = request.query_as(schemas.SearchQuery)
        require_position(api.CONSUMER, query, further=api.get_position)
        return Response(
            api.search(
                actor=request.actor,
                text=query.q,
                filters=query.filters,
                tag=query.tag,
                inside_id=query.inside_id,
                trashed=query.trashed,
                facets=query.facets,
                sort=query.sort,
                limit=query.limit,
                cursor=query.cursor,
            )
        )


class NodeSearchedText(View):
    """The text inside a file, as far as it is searched."""

    @operation(answer=SearchedText, problems=(NotAFile,))
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """Tell whether the text inside a file is searched; if not, `reason` says why. `is_cut`: only its beginning is."""
        return Response(api.get_text_state(actor=request.actor, node_id=node_id))


class Suggest(View):
    """Names while one types."""

    @operation(query=schemas.SuggestQuery, answer=Suggestions, problems=(errors.QueryTooLong, errors.FilterInvalid))
    def get(self, request: ActorRequest) -> Response:
        """Find the eight names that fit best."""
        query = request.query_as(schemas.SuggestQuery)
        return Response(api.suggest(actor=request.actor, text=query.q))
