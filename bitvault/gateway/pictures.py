"""Profile pictures, and the logo of a vault: Storage takes the upload, Previews draw it anew in small sizes, Identity keeps what was drawn.

The bytes that were sent are shown to nobody: they are read once, and swept as those of an upload that became no file. A picture is told by
an id that is the upload's; another one has another id, so browsers keep what they have for good ([0062]).
"""

from typing import Annotated
from uuid import UUID

import msgspec
from rest_framework.response import Response

from apps.identity import dtos
from apps.identity.api import pictures
from apps.previews import api as previews
from apps.previews.errors import PictureUnfit
from apps.storage import api as storage
from apps.storage.api import scanned
from apps.storage.dtos import Upload
from apps.storage.errors import ContentMismatch, PartsMissing, StoreFull, UploadNotFound, UploadOver
from bitvault.gateway.uploads import Sha256
from bitvault.kernel import ids, tenancy
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.errors import Invalid, NotFound
from bitvault.kernel.permissions import Permission
from bitvault.web import throttle
from bitvault.web.operations import operation
from bitvault.web.pages import IDS_LIMIT
from bitvault.web.permissions import HasPermission, HasScope
from bitvault.web.renderers import WebpRenderer
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body, Query
from bitvault.web.views import View, VisitorView

SOURCE_LIMIT_BYTES = 8 * 1024**2
"""What is sent: a photo as phones take it, in one part."""

UPLOADS_LIMIT, _HOUR = 30, 3600
"""Pictures that one person may send in an hour: each costs a second of a processor."""

EDGES = {"small": 96, "large": 256}
"""Pixels of the two sizes: an avatar and the profile's, on sharp screens."""

LOGO_EDGES = {"small": 192, "large": 512}
"""A logo may be wider than high, and stands alone on the page for signing in."""

DESTINATION = {"picture": True}
"""By what an upload of a picture is known from one of a file."""

KEPT_BY_BROWSERS = "max-age=31536000, immutable"


class StartPicture(Body, frozen=True):
    """A picture that is to come: JPEG, PNG, WebP, GIF, HEIC, AVIF, TIFF or BMP."""

    size_bytes: Annotated[int, msgspec.Meta(ge=1, le=SOURCE_LIMIT_BYTES)]
    sha256: Sha256


class TakePicture(Body, frozen=True):
    """The picture that has arrived."""

    upload_id: UUID


class WhosePictures(Query, frozen=True):
    """Whose (ids of people, parted by commas; a hundred at most)."""

    user_ids: str


class WhichSize(Query, frozen=True):
    """``small`` is for lines of lists, ``large`` for pages."""

    size: dtos.PictureSize = "small"


class Shown(msgspec.Struct, frozen=True):
    """A picture and where it is; another one is elsewhere, so this may be kept for good."""

    picture_id: UUID
    url: str


class ShownOfPerson(msgspec.Struct, frozen=True):
    """Whose picture is where."""

    user_id: UUID
    picture_id: UUID
    url: str


class ShownPictures(msgspec.Struct, frozen=True):
    """Pictures of people; those who have none are left out."""

    items: list[ShownOfPerson]


class PictureUploads(View):
    """Uploads of pictures."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]
    publishes = False

    @operation(body=StartPicture, answer=Upload, status=201, problems=(StoreFull,), repeatable=True)
    def post(self, request: ActorRequest) -> Response:
        """Get a URL to send a picture to, of at most 8 MiB. It is shown nowhere until it is made somebody's picture, or the logo."""
        body = request.body_as(StartPicture)
        return self.repeatable(request, lambda: start(request.actor, body))


class OwnPicture(View):
    """The picture of the caller."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]

    @operation(body=TakePicture, answer=Shown, problems=(PictureUnfit, PartsMissing, ContentMismatch, UploadOver))
    def put(self, request: ActorRequest) -> Response:
        """Make a picture that was uploaded the caller's: the square in its middle, drawn anew. Sent again, it changes nothing. One that
        was removed comes back by it for a day.
        """
        upload_id = request.body_as(TakePicture).upload_id
        if not _has_picture(request.actor, upload_id) and not pictures.bring_back_own_picture(
            actor=request.actor, picture_id=upload_id
        ):
            drawn = draw(request.actor, upload_id, EDGES, is_square=True)
            pictures.set_own_picture(actor=request.actor, picture_id=upload_id, drawn=drawn)
            storage.finish_upload(upload_id=upload_id, kept=False)
        return Response(Shown(upload_id, address_of(upload_id)))

    @operation(status=204)
    def delete(self, request: ActorRequest) -> Response:
        """Remove it; initials stand in its place."""
        pictures.remove_own_picture(actor=request.actor)
        return Response(status=204)


class Logo(View):
    """The logo of the vault."""

    permission_classes = [HasPermission.to(Permission.MANAGE_SETTINGS)]

    @operation(body=TakePicture, answer=Shown, problems=(PictureUnfit, PartsMissing, ContentMismatch, UploadOver))
    def put(self, request: ActorRequest) -> Response:
        """Make a picture that was uploaded the logo of the vault, drawn anew. Sent again, it changes nothing. One that was removed comes
        back by it for a day.
        """
        actor, upload_id = request.actor, request.body_as(TakePicture).upload_id
        pictures.require_logo_right(actor=actor)
        if not _is_logo(actor, upload_id) and not pictures.bring_back_logo(actor=actor, picture_id=upload_id):
            drawn = draw(actor, upload_id, LOGO_EDGES, is_square=False)
            pictures.set_logo(actor=actor, picture_id=upload_id, drawn=drawn)
            storage.finish_upload(upload_id=upload_id, kept=False)
        return Response(Shown(upload_id, address_of_logo(upload_id)))

    @operation(status=204)
    def delete(self, request: ActorRequest) -> Response:
        """Remove it; the first letter of the vault's name stands in its place."""
        pictures.remove_logo(actor=request.actor)
        return Response(status=204)


class Pictures(View):
    """Pictures of people."""

    permission_classes = [HasScope.of(None, write=Scope.ACCOUNT)]

    @operation(query=WhosePictures, answer=ShownPictures)
    def get(self, request: ActorRequest) -> Response:
        """Tell where the pictures of up to a hundred people of the vault are; those who have none are left out."""
        user_ids = _read_ids(request.query_as(WhosePictures).user_ids)
        found = pictures.list_pictures(tenant=request.actor.tenant, user_ids=user_ids)
        items = [ShownOfPerson(each.user_id, each.picture_id, address_of(each.picture_id)) for each in found]
        return Response(ShownPictures(items))


class PictureContent(View):
    """The picture of somebody in the vault."""

    permission_classes = [HasScope.of(None, write=Scope.ACCOUNT)]
    renderer_classes = [WebpRenderer]

    @operation(query=WhichSize)
    def get(self, request: ActorRequest, picture_id: UUID) -> Response:
        """Read it, as WebP. It never changes: another picture has another address."""
        size = request.query_as(WhichSize).size
        body = pictures.get_picture(tenant=request.actor.tenant, picture_id=picture_id, size=size)
        return Response(body, headers={"Cache-Control": f"private, {KEPT_BY_BROWSERS}"})


class PublicLogo(VisitorView):
    """The logo of the vault, for everybody: it stands on the page for signing in, on public links and in mails."""

    renderer_classes = [WebpRenderer]

    @operation(query=WhichSize)
    def get(self, request: ActorRequest, picture_id: UUID) -> Response:
        """Read it, as WebP. It never changes: another logo has another address."""
        size = request.query_as(WhichSize).size
        tenant = tenancy.find_current()
        if tenant is None:
            raise NotFound
        body = pictures.get_logo(tenant=tenant, picture_id=picture_id, size=size)
        return Response(body, headers={"Cache-Control": f"public, {KEPT_BY_BROWSERS}"})


def start(actor: Actor, wanted: StartPicture) -> Upload:
    """Begin the upload of a picture.

    :raises TooManyRequests: the person has sent many within the hour.
    """
    throttle.take("picture", [actor.user_id], limit=UPLOADS_LIMIT, per_seconds=_HOUR, guards_secret=False)
    return storage.start_upload(
        actor=actor,
        upload_id=ids.new_id(),
        size_bytes=wanted.size_bytes,
        media_type="application/octet-stream",
        destination=DESTINATION,
        part_hashes=[wanted.sha256],
    )


def draw(actor: Actor, upload_id: UUID, edges: dict[str, int], *, is_square: bool) -> dtos.Drawn:
    """Draw an uploaded picture anew. Whoever keeps what was drawn leaves the upload to the sweeper: until then it can be drawn again.

    :raises UploadNotFound: the actor has begun no upload of a picture with this id.
    :raises UploadOver: it was taken before, or its time is over.
    :raises PictureUnfit: it is no picture, or too large.
    """
    verified = storage.complete_upload(actor=actor, upload_id=upload_id)
    if verified is None or verified.destination != DESTINATION:
        raise UploadNotFound
    if verified.committed:
        raise UploadOver
    body = scanned.read_before_scan(blob_id=verified.blob_id, first_byte=0, limit_bytes=SOURCE_LIMIT_BYTES)
    try:
        small, large = previews.draw_cut(body=body, edges=edges, is_square=is_square)
    except PictureUnfit:
        storage.finish_upload(upload_id=upload_id, kept=False)
        raise
    return dtos.Drawn(small=small, large=large)


def address_of(picture_id: UUID) -> str:
    """Tell where the picture of a person is."""
    return f"/api/v1/pictures/{picture_id}"


def address_of_logo(picture_id: UUID) -> str:
    """Tell where the logo of a vault is."""
    return f"/api/v1/public/logo/{picture_id}"


def _has_picture(actor: Actor, picture_id: UUID) -> bool:
    found = pictures.list_pictures(tenant=actor.tenant, user_ids=[actor.user_id])
    return [one.picture_id for one in found] == [picture_id]


def _is_logo(actor: Actor, picture_id: UUID) -> bool:
    try:
        return bool(pictures.get_logo(tenant=actor.tenant, picture_id=picture_id, size="small"))
    except NotFound:
        return False


def _read_ids(text: str) -> list[UUID]:
    try:
        found = list(dict.fromkeys(UUID(each) for each in text.split(",") if each))
    except ValueError:
        raise Invalid("`user_ids` takes ids, parted by commas.") from None
    if len(found) > IDS_LIMIT:
        raise Invalid("`user_ids` takes %(limit)s ids at most.", limit=IDS_LIMIT)
    return found
