"""What the stack says when it cannot go on: one sentence that tells what to do."""

import errno

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""The system's errors of a disk, or of a user's share of it, that is full."""


class StackError(Exception):
    """A state of the machine or of ``var/`` that its owner can put right; printed without a traceback."""
