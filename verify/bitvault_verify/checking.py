"""Checks an export line by line: entries, the anchors between them, and the end."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bitvault_verify.anchors import Anchors, Signed, find_verify, read_anchor, read_end
from bitvault_verify.chain import Chain
from bitvault_verify.copies import Copies, Load
from bitvault_verify.lines import Entry, Reader, Unfit

FINDINGS_LIMIT = 100
"""Findings that are listed; all are counted."""

PROGRESS_EVERY = 50_000
"""Lines between two reports of progress."""

Told = Callable[[int, int], None]
"""Takes how many lines and bytes have been read."""


@dataclass(frozen=True)
class Wanted:
    """What the caller knows from elsewhere, and what must be there."""

    keys: frozenset[bytes] = frozenset()
    head: tuple[int, bytes] | None = None
    """Number and hash of an entry, noted earlier."""
    needs_anchors: bool = False
    load_copies: Load | None = None
    """Gives the anchors that were locked away, where they are to be compared."""


@dataclass
class Report:
    """What was found."""

    entry_count: int = 0
    anchor_count: int = 0
    tenant_id: str | None = None
    head_number: int = 0
    head_hash: str | None = None
    last_anchor_number: int | None = None
    last_anchored_at: str | None = None
    exported_at: str | None = None
    keys: list[str] = field(default_factory=list)
    """Public keys under the signatures that were verified."""
    is_key_trusted: bool = False
    locked_count: int | None = None
    """Anchors of this log that were locked away elsewhere; ``None``: nobody asked."""
    locked_number: int | None = None
    """The last entry up to which they say the same as the export."""
    finding_count: int = 0
    findings: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What the export does not prove."""
    seconds: float = 0.0

    @property
    def is_intact(self) -> bool:
        """Whether nothing is amiss."""
        return not self.finding_count

    def add(self, line: int, what: str) -> None:
        """Note a finding."""
        self.finding_count += 1
        if len(self.findings) < FINDINGS_LIMIT:
            self.findings.append({"line": line, "what": what})


class _Checker:
    def __init__(self, wanted: Wanted) -> None:
        self.wanted, self.report = wanted, Report()
        self.reader, self.chain = Reader(), Chain()
        self.anchors = Anchors(wanted.keys, find_verify())
        self.end: Signed | None = None
        self._held: Entry | None = None
        """An entry that waits for the one after it."""
        self._head_is_met = wanted.head is None
        self._copies: Copies | None = None
        self._last_index = 0

    def take(self, line_number: int, line: bytes) -> None:
        try:
            found = self.reader.read(line)
            if "number" in found:
                self._take_entry(Entry(self.reader, line_number, line, found))
            else:
                self._take_other(line_number, found)
            if self.end is not None and self.end.line != line_number:
                self.report.add(line_number, "the line stands after the end of the export")
        except Unfit as error:
            self._settle(None)
            self.report.add(line_number, str(error))
            self.chain.lose()

    def finish(self, last_line: int) -> Report:
        self._settle(None)
        report, chain = self.report, self.chain
        self._note(self.anchors.end())
        self._finish_end(last_line)
        if not self._head_is_met:
            report.add(
                last_line, "the entry whose number and hash were noted is not there: entries are missing at the end"
            )
        self._finish_copies(last_line)
        report.entry_count, report.anchor_count = chain.count, self.anchors.count
        report.head_number, report.head_hash = chain.number, chain.digest.hex() if chain.digest else None
        report.keys = sorted(key.hex() for key in self.anchors.keys)
        report.is_key_trusted = bool(self.wanted.keys)
        if self.wanted.needs_anchors and not self.anchors.count:
            report.add(last_line, "there is no anchor")
        if report.keys and not self.wanted.keys:
            report.notes.append(
                "The key was taken from the export itself: compare it with the one that you noted, or name it by --key."
            )
        return report

    def _take_entry(self, entry: Entry) -> None:
        self._settle(entry)
        self._held = entry

    def _take_other(self, line_number: int, found: dict[str, Any]) -> None:
        report = self.report
        match found:
            case {"export": {"tenant_id": str() as tenant_id}} if len(found) == 1 and line_number == 1:
                report.tenant_id = tenant_id
                if self.wanted.load_copies is not None:
                    lines = self.wanted.load_copies(tenant_id)
                    self._copies = Copies(lines, tenant_id, self.wanted.keys, find_verify())
            case {"anchor": anchor} if len(found) == 1 and report.tenant_id is not None:
                signed = read_anchor(self.reader, line_number, anchor, report.tenant_id)
                self._note(self.anchors.follow(signed))
                if self._copies is not None:
                    self._note(self._copies.compare(signed))
                    self._last_index = signed.index
                report.last_anchor_number, report.last_anchored_at = signed.number, signed.said_at
                self._compare(signed, f"anchor {signed.index} of {signed.said_at}")
            case {"end": end} if len(found) == 1 and report.tenant_id is not None:
                self.end = read_end(self.reader, line_number, end, report.tenant_id)
            case _:
                raise Unfit("the line is neither an entry nor an anchor")

    def _compare(self, signed: Signed, what: str) -> None:
        """Compare what was signed with the entry that it speaks of, which stands just before it."""
        number, digest = (
            (self._held.number, self._held.digest) if self._held else (self.chain.number, self.chain.digest)
        )
        if signed.number != number:
            self.report.add(signed.line, f"{what} speaks of entry {signed.number} and stands after entry {number}")
        elif digest is not None and signed.digest != digest:
            self.report.add(
                signed.line, f"{what} signs another hash of entry {number}: the log before it was rewritten"
            )

    def _settle(self, following: Entry | None) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self._note(self.chain.follow(held, following))
            self._compare_with_noted(held)

    def _compare_with_noted(self, entry: Entry) -> None:
        noted = self.wanted.head
        if noted is not None and entry.number == noted[0]:
            self._head_is_met = True
            if entry.digest != noted[1]:
                self.report.add(
                    entry.line, f"entry {entry.number} has another hash than the one noted: the log was rewritten"
                )

    def _finish_end(self, last_line: int) -> None:
        if self.end is not None:
            self._note(self.anchors.check(self.end))
            self._compare(self.end, "the end of the export")
            self.report.exported_at = self.end.said_at
        elif self.report.tenant_id is not None:
            self.report.add(last_line, "the export has no end: it was cut short")
        else:
            self.report.notes.append(
                "The export holds no anchors: whoever rewrote the whole log, or cut its end, is found by --head number:hash alone."
            )

    def _finish_copies(self, last_line: int) -> None:
        if self.wanted.load_copies is None:
            return
        if self._copies is None:
            self.report.add(
                last_line, "the export holds no anchors that could be compared with those that were locked away"
            )
            return
        copies, report = self._copies, self.report
        at = report.exported_at
        self._note(copies.end(line=last_line, number=self.chain.number, last_index=self._last_index, exported_at=at))
        report.locked_count, report.locked_number = copies.count, copies.last_number
        if copies.apart_count:
            report.notes.append(
                f"{copies.apart_count} anchors of the export are others than those that were locked away."
            )
        if copies.foreign_count:
            report.notes.append(
                f"{copies.foreign_count} copies where anchors are locked away are not signed by the vault: somebody else put them there."
            )

    def _note(self, findings: Iterable[tuple[int, str]]) -> None:
        for line, what in findings:
            self.report.add(line, what)


def check(lines: Iterable[bytes], wanted: Wanted = Wanted(), told: Told = lambda *_: None) -> Report:
    """Check an export."""
    begun = time.monotonic()
    checker = _Checker(wanted)
    line_number = 0
    for line_number, line in _count(lines, told):
        checker.take(line_number, line)
    report = checker.finish(line_number)
    report.seconds = round(time.monotonic() - begun, 3)
    return report


def _count(lines: Iterable[bytes], told: Told) -> Iterator[tuple[int, bytes]]:
    size_bytes = 0
    for number, line in enumerate(lines, 1):
        size_bytes += len(line)
        if number % PROGRESS_EVERY == 0:
            told(number, size_bytes)
        yield number, line.rstrip(b"\r\n")
