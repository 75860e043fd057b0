"""docs/threats.md names tests that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
MUST_BE_ANSWERED = {1, 2, *range(7, 12), *range(13, 16), *range(18, 21), *range(29, 33), 37, 39, 40}
"""Threats that the routes of uploads, files and sign-in can meet."""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_test_that_a_row_names_is_there(row):
    named = NAMED.findall(row)
    assert named, "a row without a test does not stand"
    for path, test in named:
        assert re.search(rf"^def {test}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), f"{path}::{test}"


def test_no_threat_to_what_there_is_lacks_its_row():
    numbers = [int(row.split("|")[1]) for row in ROWS]
    assert sorted(set(numbers)) == numbers
    assert set(numbers) >= MUST_BE_ANSWERED
