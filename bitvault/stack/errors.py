"""What the stack says when it cannot go on: one sentence that tells what to do."""


class StackError(Exception):
    """A state of the machine or of ``var/`` that its owner can put right; printed without a traceback."""
