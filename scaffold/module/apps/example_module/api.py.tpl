"""The door of the module."""

from apps.example_module import operations, queries
from apps.example_module.dtos import CommittedVersion
from bitvault.jobs.dtos import Job
from bitvault.kernel import pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, Page

__all__ = ["list_versions", "start_cleanup"]


@exposed
def list_versions(*, actor: Actor, cursor: str | None = None, limit: int = PAGE_DEFAULT) -> Page[CommittedVersion]:
    """List the versions that the actor has committed, newest first.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    pages.require_limit(limit)
    return queries.list_versions(committed_by=actor.user_id, cursor=cursor, limit=limit)


@exposed
def start_cleanup(*, actor: Actor) -> Job:
    """Delete the rows of old versions by a job; while one waits or runs, that one is the answer."""
    return operations.start_cleanup(actor=actor)
