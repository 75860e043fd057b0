"""The door of previews: what is shown of files without their being downloaded.

Files says what the caller may see, Storage where the bytes are; a preview that is not there is asked for and made by a worker.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from uuid import UUID

from apps.files.api import shown as files
from apps.files.dtos import Content
from apps.files.errors import NoPreview
from apps.previews import at_once, flags, operations, queries, running, types
from apps.previews.dtos import PAGE_LIMIT, Marked, Preview, Reason, Size
from apps.previews.errors import PictureUnfit, TooManyNodes
from apps.previews.models import Preview as PreviewRow
from apps.previews.models import PreviewState
from apps.previews.operations import MakePreview
from apps.storage import api as storage
from apps.storage.api import derived
from bitvault.kernel import clock
from bitvault.kernel.actor import Actor
from bitvault.kernel.boundary import exposed
from bitvault.kernel.errors import Overloaded

NODE_LIMIT = 100
"""Files that one answer tells of: two screens of a list."""


ASKED_FOR = timedelta(minutes=1)
"""How long somebody who asks again does not have it asked for again: its job may be lost with what stood in the lane."""


@exposed
def get_preview(
    *, actor: Actor, node_id: UUID, version_id: UUID | None = None, size: Size = "medium", page: int = 1
) -> Preview:
    """Tell where the picture of a file, or of a page of it, is. While it is being made its state is ``making``.

    :raises NoPreview: there is none and will be none; ``reason`` says why.
    :raises NotAFile: the node is a folder.
    """
    content = files.get_shown_content(actor=actor, node_id=node_id, version_id=version_id)
    return _require(_find({node_id: content}, types.page_part(page), size)[0])


@exposed
def get_text(*, actor: Actor, node_id: UUID, version_id: UUID | None = None) -> Preview:
    """Tell where the text of a file is, as UTF-8; of a long one, the beginning.

    :raises NoPreview, NotAFile: as ``get_preview``.
    """
    content = files.get_shown_content(actor=actor, node_id=node_id, version_id=version_id)
    return _require(_find({node_id: content}, types.TEXT, "medium")[0])


@exposed
def list_previews(*, actor: Actor, node_ids: Collection[UUID], size: Size = "small", page: int = 1) -> list[Preview]:
    """Tell where the pictures of several files are; what is no file, or not the caller's to see, is left out.

    :raises TooManyNodes: more than a hundred are asked for.
    """
    if len(node_ids) > NODE_LIMIT:
        raise TooManyNodes(limit=NODE_LIMIT)
    contents = files.list_shown_contents(actor=actor, node_ids=node_ids)
    return _find(contents, types.page_part(page), size)


@exposed
def is_drawn(*, media_type: str) -> bool:
    """Tell whether files of a type have pictures: those that are pictures or documents themselves."""
    return types.kind_of(media_type) in ("image", "pdf")


@exposed
def draw_marked(*, actor: Actor, node_id: UUID, page: int, text: str) -> Marked:
    """Draw the large picture of a file, or of a page of it, with a text all over it, while somebody waits. It is kept nowhere.

    :raises NoPreview, NotAFile: as ``get_preview``.
    :raises Unavailable: too many are drawn at this moment, or none at all.
    """
    content = files.get_shown_content(actor=actor, node_id=node_id)
    part = types.page_part(page)
    preview = _require(_find({node_id: content}, part, "large")[0])
    if preview.state != "ready":
        return Marked(body=None, page_count=preview.page_count)
    drawn = derived.read_derived(content_hash=content.content_hash, names=types.names_for(part, "large"))
    if drawn is None:
        return Marked(body=None, page_count=preview.page_count)  # dropped meanwhile; who asks again has it made
    try:
        (marked,) = at_once.draw(running.Task(kind="mark", part=part, text=text), drawn)
    except PictureUnfit:  # it is a picture of our own, so this machine had no time for it
        raise Overloaded(dependency="drawing", retry_after_seconds=1) from None
    return Marked(body=marked, page_count=preview.page_count)


@exposed
def draw_cut(*, body: bytes, edges: Mapping[str, int], is_square: bool) -> list[bytes]:
    """Draw a picture (WebP) in sizes whose longest side is at most so many pixels, in their order, while somebody waits.

    :param is_square: cut to the middle.
    :raises PictureUnfit: it is none, or too large.
    :raises Unavailable: too many are drawn at this moment, or none at all.
    """
    return at_once.draw(running.Task(kind="cut", part="picture", edges=edges, is_square=is_square), body)


def _require(preview: Preview) -> Preview:
    if preview.state == "none":
        raise NoPreview(preview.reason or "failed")
    return preview


def _find(contents: dict[UUID, Content], part: str, size: Size) -> list[Preview]:
    """Find previews in three statements, however many; what was never asked for is asked for in one transaction more."""
    drawn = flags.find_drawn()
    obstacles = {node_id: _find_obstacle(content, part, drawn) for node_id, content in contents.items()}
    visible = {node_id: content for node_id, content in contents.items() if obstacles[node_id] is None}
    hashes = {content.content_hash for content in visible.values()}
    urls = storage.sign_derived(content_hashes=hashes, names=types.names_for(part, size)) if hashes else {}
    rows = queries.find_rows(hashes, {part, types.PICTURE}) if hashes else {}
    missing: dict[str, MakePreview] = {}
    found = []
    for node_id, content in contents.items():
        row = rows.get((content.content_hash, part))
        first = rows.get((content.content_hash, types.PICTURE))
        page_count = first.page_count if first is not None else None
        download = urls.get(content.content_hash)
        reason = obstacles[node_id] or _find_failure(row, part, page_count)
        if download is None and reason is None and not _is_asked_for(row):
            missing[content.content_hash] = _to_wish(content, part)
        ready = download is not None and reason is None
        found.append(
            Preview(
                node_id=node_id,
                version_id=content.version_id,
                state="ready" if ready else "none" if reason else "making",
                url=download.url if ready and download else None,
                expires_at=download.expires_at if ready and download else None,
                reason=reason,
                page_count=page_count,
            )
        )
    operations.ask_alone(list(missing.values()))
    return found


def _is_asked_for(row: PreviewRow | None) -> bool:
    return row is not None and row.state == PreviewState.MAKING and row.asked_at > clock.now() - ASKED_FOR


def _find_obstacle(content: Content, part: str, drawn: Collection[types.Kind]) -> Reason | None:
    """Tell what keeps a content from having such a part, by its type and size alone, and by the kinds that are drawn."""
    kind = types.kind_of(content.media_type)
    if part == types.TEXT:
        return None if kind == "text" or types.is_unknown(content.media_type) else "type"
    if kind not in drawn:
        return "type"
    if content.size_bytes > types.SOURCE_LIMIT_BYTES:
        return "too_large"
    if part != types.PICTURE and kind != "pdf":
        return "no_such_page"
    return None


def _find_failure(row: PreviewRow | None, part: str, page_count: int | None) -> Reason | None:
    if part != types.PICTURE and page_count is not None:
        page = int(part.rpartition("-")[2]) if part.startswith("page-") else 1
        if page > min(page_count, PAGE_LIMIT):
            return "no_such_page"
    if row is not None and row.state == PreviewState.FAILED:
        return row.reason or "failed"  # type: ignore[return-value] # no other is stored
    return None


def _to_wish(content: Content, part: str) -> MakePreview:
    return MakePreview(
        content_hash=content.content_hash,
        part=part,
        blob_id=content.blob_id,
        media_type=content.media_type,
        size_bytes=content.size_bytes,
    )
