"""What a file that is to come, or has come, is to Files."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from apps.files.dtos import Mode, Node


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadGrant:
    """What was allowed when an upload began; its commit is judged again, by the state of that moment.

    ``node_id`` is the file that gets a version, where one is meant. ``base_blob_id`` holds bytes that the sender may build upon.
    """

    parent_id: UUID
    name: str
    mode: Mode
    node_id: UUID | None
    base_version_id: UUID | None
    autorename: bool
    base_blob_id: UUID | None
    root_id: UUID | None = None
    """Where the tree begins that it adds to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadWish:
    """A file that is to come, as ``authorise_upload`` is told of one."""

    parent_id: UUID
    name: str
    mode: Literal["add", "overwrite"]
    autorename: bool
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedUpload:
    """Bytes that the store has verified, as ``commit_upload`` is told of some."""

    upload_id: UUID
    grant: UploadGrant
    blob_id: UUID
    size_bytes: int
    content_hash: str
    media_type: str
    client_modified_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """How an upload ended.

    ``created``: this very call made a version; a repeated call, or one that brought what the file had already, did not.
    ``version_created``: the upload's bytes became a version (by this call or an earlier one), so they are kept.
    """

    node: Node
    created: bool
    version_created: bool
