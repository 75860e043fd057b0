"""Which files come into a folder: its own rules, those above it, and what they let in together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from bitvault.kernel.file_rules import Admitted, FileRules, FileTypes

RuleOwner = Literal["vault", "folder"]

EXTENSIONS_LIMIT = 200
"""Extensions that one folder names: as many as a tenant does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRules:
    """Rules as a folder's row keeps them."""

    types: FileTypes
    extensions: tuple[str, ...]
    largest_bytes: int | None
    set_by: UUID
    set_at: datetime

    @property
    def rules(self) -> FileRules:
        """The rules alone."""
        return FileRules(self.types, self.extensions, self.largest_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesAbove:
    """Rules that hold in a folder though they are not its own: of the vault, or of a folder above it.

    ``folder_id`` and ``folder_name`` are ``None`` of the vault, and of a folder that the reader does not see.
    """

    rule_of: RuleOwner
    folder_id: UUID | None
    folder_name: str | None
    file_types: FileTypes
    file_extensions: Sequence[str]
    largest_file_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesInForce:
    """What all rules of a folder together let in: ``allowed_extensions`` alone (``None``: all), but for ``refused_extensions``.

    A single dot among them stands for names without an extension. The plan may allow less than ``largest_file_bytes``.
    """

    allowed_extensions: Sequence[str] | None
    refused_extensions: Sequence[str]
    largest_file_bytes: int | None

    @classmethod
    def of(cls, admitted: Admitted) -> "RulesInForce":
        """Take what the kernel has worked out."""
        return cls(
            allowed_extensions=admitted.allowed,
            refused_extensions=admitted.refused,
            largest_file_bytes=admitted.largest_bytes,
        )

    @property
    def refuses_something(self) -> bool:
        """Whether any file is kept out."""
        return (
            self.allowed_extensions is not None or bool(self.refused_extensions) or self.largest_file_bytes is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRules:
    """The rules for files of one folder: its own, those that hold from above (the vault's first), and what they let in together.

    Own rules only tighten what stands above. ``set_at`` is ``None`` while the folder has none of its own.
    """

    node_id: UUID
    file_types: FileTypes
    file_extensions: Sequence[str]
    largest_file_bytes: int | None
    set_by: UUID | None
    set_at: datetime | None
    above: Sequence[RulesAbove]
    in_force: RulesInForce
