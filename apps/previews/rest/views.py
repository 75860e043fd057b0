"""REST views of previews: parse → door → render."""

from uuid import UUID

from rest_framework.response import Response

from apps.files.errors import NoPreview, NotAFile
from apps.previews import api, dtos, errors
from apps.previews.rest import schemas
from bitvault.kernel.errors import Invalid
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View

ASK_AGAIN_SECONDS = 1

CACHED_SECONDS = 240
"""How long a browser may keep a redirect: less than its URL is good for."""


def answer(preview: dtos.Preview) -> Response:
    """Redirect to a preview that is there; of one that is being made, say so."""
    if preview.url is None:
        return Response(dtos.Making(), status=202, headers={"Retry-After": str(ASK_AGAIN_SECONDS)})
    headers = {
        "Location": preview.url,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": f"private, max-age={CACHED_SECONDS}",
    }
    return Response(status=302, headers=headers)


class NodePreview(View):
    """The picture of a file."""

    @operation(query=schemas.WhichPreview, status=302, pending=dtos.Making, problems=(NoPreview, NotAFile))
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """Redirect to a picture (WebP) of the file: the picture itself, or a page of the document.

        To see the file is enough. 202 while it is being made: ask again. Where there is none `reason` says why.
        """
        query = request.query_as(schemas.WhichPreview)
        return answer(
            api.get_preview(
                actor=request.actor,
                node_id=node_id,
                version_id=query.version_id,
                size=query.size,
                page=query.page,
            )
        )


class NodeText(View):
    """The text of a file."""

    @operation(query=schemas.WhichText, status=302, pending=dtos.Making, problems=(NoPreview, NotAFile))
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """Redirect to the file's text in UTF-8, of a long one to its first 512 KiB; otherwise as for pictures."""
        query = request.query_as(schemas.WhichText)
        return answer(api.get_text(actor=request.actor, node_id=node_id, version_id=query.version_id))


class Previews(View):
    """Pictures of several files, for a list."""

    @operation(query=schemas.WhichPreviews, answer=dtos.Previews, problems=(errors.TooManyNodes, Invalid))
    def get(self, request: ActorRequest) -> Response:
        """Tell where the pictures of up to a hundred files are; those that the caller may not see are left out."""
        query = request.query_as(schemas.WhichPreviews)
        items = api.list_previews(
            actor=request.actor, node_ids=read_ids(query.node_ids), size=query.size, page=query.page
        )
        return Response(dtos.Previews(items))


def read_ids(text: str) -> list[UUID]:
    """Read ids that are parted by commas.

    :raises Invalid: one of them is none.
    """
    try:
        return list(dict.fromkeys(UUID(each) for each in text.split(",") if each))
    except ValueError:
        raise Invalid("`node_ids` takes ids, parted by commas.") from None
