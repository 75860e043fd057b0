"""Follows the chain of an export's entries and says where it does not hold, with one line of looking ahead and no other memory.

After something amiss it goes on from what stands there, so that one tampering is one or two findings and the next one is found as well.
"""

from collections.abc import Iterator

from bitvault_verify.lines import FIRST, Entry

Finding = tuple[int, str]
"""A line of the export, and what is amiss there."""


class Chain:
    """The state between two entries. ``digest`` is ``None`` where it cannot be known: after a line that cannot be read."""

    def __init__(self) -> None:
        self.number = 0
        self.digest: bytes | None = FIRST
        self.count = 0
        self.line = 0

    def follow(self, entry: Entry, following: Entry | None) -> Iterator[Finding]:
        """Take the next entry; ``following`` is the one after it."""
        self.count += 1
        expected = self.number + 1
        if entry.number != expected:
            yield from self._misplaced(entry, following, expected)
            return
        if following is not None and following.number == expected and not self._is_rightful(entry, following):
            yield entry.line, f"entry {expected} stands here and in line {following.line}: this one was inserted"
            return
        if self.digest is None or entry.previous == self.digest:
            yield from self._check_content(entry, following)
        elif entry.hash_after(self.digest) == entry.digest:
            yield entry.line, f"entry {entry.number}: the hash before it was altered"
        elif entry.fits_itself:
            yield entry.line, f"entry {entry.number} does not follow the one before it: entries up to there are others"
        else:
            yield entry.line, f"entry {entry.number}: its content and the hash before it were altered"
        self._stand_at(entry, following)

    def lose(self) -> None:
        """Pass over a line that cannot be read, and that may have been the next entry."""
        self.digest = None
        self.number += 1
        self.count += 1

    def _misplaced(self, entry: Entry, following: Entry | None, expected: int) -> Iterator[Finding]:
        if following is not None and following.number == expected:
            yield (
                entry.line,
                f"entry {entry.number} does not belong here, before entry {expected}: moved, repeated or inserted",
            )
            return
        if following is not None and following.number == expected + 1:
            yield entry.line, f"entry {entry.number} stands where entry {expected} should"
            self.number, self.digest, self.line = expected, None, entry.line
            return
        if entry.number < expected:
            yield entry.line, f"entry {entry.number} stands after entry {self.number}: repeated or moved"
            return
        missing = (
            f"entry {expected} is" if entry.number == expected + 1 else f"entries {expected} to {entry.number - 1} are"
        )
        yield entry.line, f"{missing} missing before entry {entry.number}"
        if not entry.fits_itself:
            yield entry.line, f"entry {entry.number}: its content does not give its hash"
        self._stand_at(entry, following)

    def _is_rightful(self, entry: Entry, following: Entry) -> bool:
        """Of two entries of one number, tell whether the first is as it was written."""
        if self.digest is None or entry.previous != self.digest or not entry.fits_itself:
            return False
        return following.previous != self.digest or not following.fits_itself or following.digest == entry.digest

    @staticmethod
    def _check_content(entry: Entry, following: Entry | None) -> Iterator[Finding]:
        computed = entry.computed
        if computed == entry.digest:
            return
        if following is not None and following.previous == computed:
            yield entry.line, f"entry {entry.number}: its hash was altered"
        else:
            yield entry.line, f"entry {entry.number} ({entry.type}): its content does not give its hash"

    def _stand_at(self, entry: Entry, following: Entry | None) -> None:
        self.number, self.line = entry.number, entry.line
        computed = entry.computed
        # Where its own hash alone was altered, the entry that follows names the true one.
        is_true = following is not None and following.number == entry.number + 1 and following.previous == computed
        self.digest = computed if is_true else entry.digest
