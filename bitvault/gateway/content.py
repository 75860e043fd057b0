"""Downloads: Files says which bytes and whether the caller may have them, Storage signs a URL, the bytes come from the store."""

from typing import Literal
from uuid import UUID

from rest_framework.response import Response

from apps.files import api as files
from apps.files.api import history
from apps.files.dtos import Content
from apps.files.errors import BadMoment, HistoryTooShort, NotAFile
from apps.storage import api as storage
from apps.storage.api import scanned
from apps.storage.errors import WITHHELD, BlobDamaged, BlobGone
from bitvault.kernel import scanning
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Query
from bitvault.web.views import View

PROBLEMS = (NotAFile, BlobGone, BlobDamaged, *WITHHELD, BadMoment, HistoryTooShort)


class WhichVersion(Query, frozen=True):
    """Which version of a file, or the one of which moment (a number of the stream or a time); without either the current one."""

    version_id: UUID | None = None
    as_of: str | None = None


class NodeContent(View):
    """The bytes of a file."""

    @operation(query=WhichVersion, status=302, problems=PROBLEMS)
    def get(self, request: ActorRequest, node_id: UUID | Literal["root"]) -> Response:
        """Redirect to a URL of the object store that is good for five minutes; the answer there is always a download."""
        return self._redirect(request, node_id, "GET")

    @operation(query=WhichVersion, status=302, problems=PROBLEMS)
    def head(self, request: ActorRequest, node_id: UUID | Literal["root"]) -> Response:
        """Redirect to a URL that answers HEAD: length and type without the bytes."""
        return self._redirect(request, node_id, "HEAD")

    def _redirect(
        self, request: ActorRequest, node_id: UUID | Literal["root"], method: Literal["GET", "HEAD"]
    ) -> Response:
        query = request.query_as(WhichVersion)
        if node_id == "root":
            raise NotAFile
        content = _find_content(request, node_id, query, method)
        download = storage.sign_download(
            blob_id=content.blob_id, filename=content.name, media_type=content.media_type, method=method
        )
        headers = {"Location": download.url, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        return Response(status=302, headers=headers)


def _find_content(request: ActorRequest, node_id: UUID, query: WhichVersion, method: Literal["GET", "HEAD"]) -> Content:
    version_id = query.version_id
    if version_id is None and query.as_of is not None:
        past = history.get_content_as_of(
            actor=request.actor, node_id=node_id, as_of=query.as_of, announced=method == "GET"
        )
        if not past.is_live:
            return past
        version_id = past.version_id
    if method == "GET" and scanning.current().mode != "off":
        # A download is told of before its URL is signed, and what nobody may read was downloaded by nobody.
        content = files.get_content(actor=request.actor, node_id=node_id, version_id=version_id)
        scanned.require_readable(blob_id=content.blob_id)
    find = files.open_content if method == "GET" else files.get_content
    return find(actor=request.actor, node_id=node_id, version_id=version_id)
