"""What a scanner is: it takes the bytes of one content as they come and says whether there is malware in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scanner says of a content; ``signature`` names what it found, ``""``: nothing."""

    signature: str = ""

    @property
    def is_infected(self) -> bool:
        """Whether it found something."""
        return bool(self.signature)


class ScannerDown(Exception):
    """The scanner does not answer, breaks off, or says that it cannot work now: worth another try later."""


class ScanBroken(ScannerDown):
    """The scanner was there and gave no verdict: it hung up, or took too long. It may be the content that does that."""


class TooLargeToScan(Exception):
    """The content is larger than the scanner looks at."""


class ScannerRefused(Exception):
    """The scanner has answered, and what it says is no verdict; the text is its own."""


class Scanner(Protocol):
    """One scanner."""

    def scan(self, pieces: Iterator[bytes], *, size_bytes: int) -> Verdict:
        """Send a content piece by piece and wait for the verdict.

        :raises ScannerDown, TooLargeToScan, ScannerRefused: there is none.
        """

    def find_version(self) -> str:
        """Ask the scanner who it is.

        :raises ScannerDown: it does not answer, or not as a scanner does.
        """
