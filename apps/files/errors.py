"""What can be refused about nodes, with stable codes."""

from bitvault.kernel.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    Locked,
    NotFound,
    PreconditionFailed,
    TooLarge,
)
from bitvault.kernel.names import InvalidName
from bitvault.kernel.pages import LimitOutOfRange

__all__ = [
    "NOT_LET_IN",
    "ArchiveTooLarge",
    "BadLockEnd",
    "BaseVersionRequired",
    "FileTooLarge",
    "InvalidName",
    "InvalidPath",
    "KeptByRule",
    "LimitOutOfRange",
    "MoveCycle",
    "NameTaken",
    "NoPreview",
    "NodeGone",
    "NodeLocked",
    "NotAFile",
    "NotAFolder",
    "NotAnArchive",
    "NothingToChange",
    "OnHold",
    "ParentGone",
    "PathTooLong",
    "RetentionOver",
    "RetentionUnfit",
    "RevisionMismatch",
    "RootFixed",
    "RulesUnfit",
    "SizeRefused",
    "TooDeep",
    "TooManyAtOnce",
    "TooManyChildren",
    "TooManyLocks",
    "TooManyPolicies",
    "TooManyTeamFolders",
    "TooManyToJudge",
    "TrashKept",
    "TypeRefused",
    "UploadGivenUp",
    "UploadTargetUnfit",
]


class NameTaken(Conflict):
    """A node in the folder has a name with the same key; facts: ``node_id`` and ``kind`` of that node, ``name``."""

    code = "files.name_taken"
    title = "There is something of this name already"


class MoveCycle(Conflict):
    """The folder would come to lie in itself."""

    code = "files.move_cycle"
    title = "A folder cannot be moved into itself"


class NotAFolder(Conflict):
    """Only a folder holds other nodes."""

    code = "files.not_a_folder"
    title = "This is not a folder"


class NotAFile(Conflict):
    """Only a file has content."""

    code = "files.not_a_file"
    title = "This is not a file"


class ParentGone(Conflict):
    """The folder that this was meant for is not there any more; fact: ``parent_id``."""

    code = "files.parent_gone"
    title = "The folder is not there any more"


class NodeGone(Conflict):
    """The file that this was meant for has been deleted meanwhile; fact: ``node_id``."""

    code = "files.node_gone"
    title = "The file has been deleted meanwhile"


class NewerVersion(Conflict):
    """Somebody has saved another version meanwhile, and the sender may keep nothing beside the file; fact: ``node_id``."""

    code = "files.newer_version"
    title = "Somebody has saved a newer version"


class NodeLocked(Locked):
    """Somebody else has locked the file, or a file in the folder; facts: ``node_id`` and ``name`` of that file, and, for members,
    ``holder_name`` and its ``lock`` as a node tells it (holder, device, reason, times).
    """

    code = "files.locked"
    title = "Somebody else has locked this file"


class OnHold(Conflict):
    """A legal hold keeps it: it can go into the trash, and is not deleted permanently before the hold is lifted; facts: ``node_id``,
    ``policy_id``.
    """

    code = "files.on_hold"
    title = "A legal hold keeps this; it cannot be deleted permanently before the hold is lifted"


class KeptByRule(Conflict):
    """A retention rule keeps it until ``kept_until``; other facts: ``node_id``, ``policy_id``."""

    code = "files.kept_by_rule"
    title = "A retention rule keeps this for some time yet; it cannot be deleted permanently before"


class TrashKept(Conflict):
    """The trash was emptied but for what a hold or a rule keeps; facts: ``deleted_count``, ``kept_count``."""

    code = "files.trash_kept"
    title = "Legal holds or retention rules keep a part of the trash; the rest was deleted"


class RetentionUnfit(Invalid):
    """A hold or rule names one thing that it is about, and a rule says how long it keeps, after how many days it deletes, or both."""

    code = "files.retention_unfit"
    title = "This is no hold or retention rule"


class RetentionOver(Conflict):
    """The hold or rule has been lifted; whoever wants it back makes a new one."""

    code = "files.retention_over"
    title = "This has been lifted already"


class TooManyPolicies(Invalid):
    """The tenant has as many holds and rules in force as there can be; fact: ``limit``."""

    code = "files.too_many_policies"
    title = "These are too many holds and rules; lift some first"


class BadLockEnd(Invalid):
    """A lock ends later than now, and within what is allowed; fact: ``latest``."""

    code = "files.bad_lock_end"
    title = "A lock cannot end then"


class TooManyLocks(Invalid):
    """Somebody, or the whole tenant, has as many locked files as there can be; fact: ``limit``."""

    code = "files.too_many_locks"
    title = "These are too many locked files; unlock some first"


class UploadGivenUp(Gone):
    """The upload that was to become a version has been given up meanwhile."""

    code = "files.upload_given_up"
    title = "This upload was given up; start another one"


class RootFixed(Forbidden):
    """A root, and the topmost node that somebody reaches in another's tree, has no name or place to change, and is not thrown away."""

    code = "files.root_fixed"
    title = "The root folder stays as it is"


class RevisionMismatch(PreconditionFailed):
    """The node has changed since the caller read it; fact: ``revision``, the present one."""

    code = "files.revision_mismatch"
    title = "The node has changed since you read it"


class NothingToChange(Invalid):
    """The request names nothing that should change."""

    code = "files.nothing_to_change"
    title = "Say what should change"


class InvalidPath(Invalid):
    """The path does not start with a slash."""

    code = "files.invalid_path"
    title = "A path starts with “/” and names one node"


class TooDeep(Invalid):
    """A node would lie deeper than the limit; facts: ``limit``, ``depth``."""

    code = "files.too_deep"
    title = "Folders cannot be nested this deep"


class PathTooLong(Invalid):
    """A full path would be longer than the limit; facts: ``limit_bytes``, ``size_bytes``."""

    code = "files.path_too_long"
    title = "The full path would be too long"


class TooManyChildren(Invalid):
    """The folder is full; fact: ``limit``."""

    code = "files.too_many_children"
    title = "The folder holds as many items as it can"


class TooManyAtOnce(Invalid):
    """A request names more nodes than one may; fact: ``limit``."""

    code = "files.too_many_at_once"
    title = "These are too many at once"


class VersionIsCurrent(Conflict):
    """The current version cannot be deleted, and is there already where somebody wants it back; fact: ``version_id``."""

    code = "files.version_is_current"
    title = "This is the file's current version"


class VersionPinned(Conflict):
    """A pinned version is kept until somebody unpins it; fact: ``version_id``."""

    code = "files.version_pinned"
    title = "The version is pinned; unpin it first"


class NothingToRestore(Conflict):
    """The older version holds the same bytes as the file does now; facts: ``version_id``, ``current_version_id``."""

    code = "files.nothing_to_restore"
    title = "The file already has this content"


class BaseVersionRequired(Invalid):
    """An update says which version it starts from."""

    code = "files.base_version_required"
    title = "An update needs base_version_id"


class UploadTargetUnfit(Invalid):
    """``node_id`` belongs to ``overwrite`` and ``update``, ``base_version_id`` to ``update`` alone."""

    code = "files.upload_target_unfit"
    title = "This mode of writing does not take these fields"


class TooManyTeamFolders(Invalid):
    """The tenant has as many live team folders as it can; fact: ``limit``."""

    code = "files.too_many_team_folders"
    title = "There are as many team folders as there can be"


class ArchiveTooLarge(TooLarge):
    """More lies there than one archive holds; facts: ``limit_count``, ``limit_bytes``, and what was counted."""

    code = "files.archive_too_large"
    title = "This is more than one archive holds"


class NotAnArchive(Invalid):
    """The file is no zip, or it is damaged."""

    code = "files.not_an_archive"
    title = "This is not a zip archive, or it is damaged"


class NoPreview(NotFound):
    """There is no preview of a file, and will not be; fact: ``reason``, one of those that ``apps.previews.dtos`` names."""

    code = "files.no_preview"
    title = "There is no preview of this file"

    def __init__(self, reason: str = "failed") -> None:
        super().__init__(reason=reason)
        self.reason = reason


class FileTooLarge(TooLarge):
    """No store holds an object of this size; fact: ``limit_bytes``."""

    code = "files.file_too_large"
    title = "The file is larger than a file can be"


class TypeRefused(Invalid):
    """The tenant, or a folder, lets no file of this type in. Facts: ``name``, ``extension`` (empty: the name has none), ``allowed``, the
    extensions that alone come in (``null``: all but some), and ``ask``: who can help, ``administrators`` of the tenant, ``managers`` of the
    folder, or who gave the ``link``. ``rule_of`` tells whose rule it is, ``vault`` or ``folder``; ``folder_id`` and ``folder_name`` which
    folder's, to who sees it.
    """

    code = "files.type_refused"
    title = "Files of this type are not taken here"


class SizeRefused(TooLarge):
    """The tenant, or a folder, lets no file of this size in, whatever the plan allows; facts: ``limit_bytes``, ``size_bytes``, and
    ``name``, ``ask``, ``rule_of``, ``folder_id`` and ``folder_name`` as above.
    """

    code = "files.size_refused"
    title = "Files of this size are not taken here"


class TooManyToJudge(Invalid):
    """The folder goes to where another folder has rules for files, and more lies in it than is judged at once; fact: ``limit``."""

    code = "files.too_many_to_judge"
    title = "This folder holds too much to be judged by the rules there"


NOT_LET_IN = (TypeRefused, SizeRefused, TooManyToJudge)
"""What becomes of something that goes to where a folder has rules for files."""


class RulesUnfit(Invalid):
    """These are no rules for files; facts: ``field``, and the ``value`` that cannot be read."""

    code = "files.rules_unfit"
    title = "These rules for files make no sense"


class BadMoment(Invalid):
    """A moment is a number of the stream or a time with its offset, and not ahead of now."""

    code = "files.bad_moment"
    title = "This is no moment of the past"


class HistoryTooShort(Invalid):
    """History does not reach back that far; fact: ``since``, where it begins."""

    code = "files.history_too_short"
    title = "History does not reach back that far"


class NotThereThen(NotFound):
    """There is no record of the folder at that moment; fact: ``since``, when it appears."""

    code = "files.not_there_then"
    title = "This was not there at that time"


class HistoryBehind(Conflict):
    """The record of what was has not come to the head of the stream in time: a plan would miss what happened last."""

    code = "files.history_behind"
    title = "What happened last is still being written down; try again in a moment"


class RewindUnfit(Invalid):
    """A rewind goes back to one moment, or names an interval and whose doings in it are undone; not both."""

    code = "files.rewind_unfit"
    title = "A rewind goes back to a moment, or undoes what one person, device or token did from one moment to another"


class RewindOver(Conflict):
    """The rewind has been carried out; what it has done is taken back by undoing it."""

    code = "files.rewind_over"
    title = "This rewind has been carried out"


class RewindNotBegun(Conflict):
    """Nothing was changed yet that could be taken back."""

    code = "files.rewind_not_begun"
    title = "This rewind has not begun"
