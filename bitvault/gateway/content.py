"""Downloads: Files says which bytes and whether the caller may have them, Storage signs a URL, the bytes come from the store."""

from typing import Literal
from uuid import UUID

from rest_framework.response import Response

from apps.files import api as files
from apps.files.errors import NotAFile
from apps.storage import api as storage
from apps.storage.errors import BlobDamaged, BlobGone
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Query
from bitvault.web.views import View


class WhichVersion(Query, frozen=True):
    """Which version of a file; without it the current one."""

    version_id: UUID | None = None


class NodeContent(View):
    """The bytes of a file."""

    @operation(query=WhichVersion, status=302, problems=(NotAFile, BlobGone, BlobDamaged))
    def get(self, request: ActorRequest, node_id: UUID | Literal["root"]) -> Response:
        """Redirect to a URL of the object store that is good for five minutes; the answer there is always a download."""
        return self._redirect(request, node_id, "GET")

    @operation(query=WhichVersion, status=302, problems=(NotAFile, BlobGone, BlobDamaged))
    def head(self, request: ActorRequest, node_id: UUID | Literal["root"]) -> Response:
        """Redirect to a URL that answers HEAD: length and type without the bytes."""
        return self._redirect(request, node_id, "HEAD")

    def _redirect(
        self, request: ActorRequest, node_id: UUID | Literal["root"], method: Literal["GET", "HEAD"]
    ) -> Response:
        query = request.query_as(WhichVersion)
        if node_id == "root":
            raise NotAFile
        find = files.open_content if method == "GET" else files.get_content
        content = find(actor=request.actor, node_id=node_id, version_id=query.version_id)
        download = storage.sign_download(
            blob_id=content.blob_id, filename=content.name, media_type=content.media_type, method=method
        )
        headers = {"Location": download.url, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        return Response(status=302, headers=headers)
