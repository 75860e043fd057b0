"""Copies of anchors that lie where the vault cannot change them, and what they say of an export.

Whoever owns the vault's database and keys can write log and anchors anew. What was locked away before stays as it was, and does not fit.
"""

import gzip
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from bitvault_verify.anchors import Signed, Verify, read_anchor
from bitvault_verify.lines import Reader, Unfit

MARGIN = timedelta(minutes=1)
"""An anchor that was signed so shortly before the export ended may have come too late for it, or another clock was ahead."""

Load = Callable[[str], Iterable[bytes]]
"""Gives the copies of a tenant's anchors, a line each, and perhaps others'."""

Finding = tuple[int, str]


class _Copy(NamedTuple):
    mark: bytes
    line: bytes


class Copies:
    """The copies of one tenant: some 1 KiB of memory each."""

    def __init__(self, lines: Iterable[bytes], tenant_id: str, trusted: frozenset[bytes], verify: Verify) -> None:
        self._reader, self._tenant_id, self._trusted, self._verify = Reader(), tenant_id, trusted, verify
        self._by_index: dict[int, list[_Copy]] = {}
        self._is_apart = False
        """Whether the anchor before this one was another one here than there."""
        self.count = self.apart_count = self.foreign_count = 0
        self.last_number = 0
        """Of the last entry whose anchor is the same here and there."""
        for line in lines:
            self._add(line.strip())
        self._first, self._last = min(self._by_index, default=0), max(self._by_index, default=0)

    def _add(self, line: bytes) -> None:
        signed = self._read(line)
        if signed is None:
            return
        known = self._by_index.setdefault(signed.index, [])
        if all(one.mark != signed.mark for one in known):
            known.append(_Copy(signed.mark, line))
            self.count += 1

    def _read(self, line: bytes) -> Signed | None:
        """Read a copy; what is none, and what another tenant's is, is passed over: whoever may put objects there may put any."""
        try:
            found = self._reader.read(line)
            if found.get("tenant_id") != self._tenant_id:
                return None
            return read_anchor(self._reader, 0, found.get("anchor"), self._tenant_id)  # type: ignore[arg-type] # it looks itself
        except Unfit:
            return None

    def compare(self, anchor: Signed) -> Iterator[Finding]:
        """Compare the next anchor of the export with its copies."""
        known = self._by_index.get(anchor.index, [])
        others = [signed for one in known if one.mark != anchor.mark and (signed := self._trust(one)) is not None]
        if others:
            self.apart_count += 1
            if not self._is_apart:
                other = others[0]
                said = f"it signed entry {other.number} with hash {other.digest.hex()} at {other.said_at}"
                why = "The log was rewritten, or brought back from a backup"
                yield anchor.line, f"anchor {anchor.index} was another one when it was locked away: {said}. {why}"
        elif not known and self._first <= anchor.index <= self._last:
            yield (
                anchor.line,
                f"anchor {anchor.index} is missing where anchors are locked away, and later ones are there",
            )
        self._is_apart = bool(others)
        if known and not others:
            self.last_number = anchor.number

    def end(self, *, line: int, number: int, last_index: int, exported_at: str | None) -> Iterator[Finding]:
        """Say what is amiss once the export is read: what it should have had.

        :param number: of its last entry.
        """
        if not self.count:
            yield line, "no anchor of this log was locked away"
        if exported_at is None:
            return
        latest = _moment(exported_at) - MARGIN
        for index in sorted(index for index in self._by_index if index > last_index):
            for signed in filter(None, map(self._trust, self._by_index[index])):
                if _moment(signed.said_at) <= latest:
                    what = "entries are" if signed.number > number else "an anchor is"
                    yield (
                        line,
                        f"{what} missing at the end: anchor {index} of entry {signed.number} was locked away at {signed.said_at}",
                    )
                    return

    def _trust(self, copy: _Copy) -> Signed | None:
        """Give a copy that the vault has signed: no other one says anything of the log."""
        signed = self._read(copy.line)
        is_known = signed is not None and (not self._trusted or signed.public_key in self._trusted)
        if signed is None or not is_known or not self._verify(signed.public_key, signed.message, signed.signature):
            self.foreign_count += 1
            return None
        return signed


def load_files(place: str) -> Load:
    """Read copies from a directory (``*.json``, however deep), or from one file of lines, also compressed.

    :raises OSError: there is no such place.
    """
    path = Path(place)
    if not path.is_dir():
        return lambda _: _read_file(path)
    return lambda _: (line for one in sorted(path.rglob("*.json")) for line in _read_file(one))


def _read_file(path: Path) -> list[bytes]:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).splitlines()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))  # noqa: FURB162 - Python 3.10 reads no Z
