"""The documents lead somewhere: every link to a file of the tree, every room with its page, every decision in its list."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path
    for folder in ("apps", "benchmarks", "bitvault", "docs")
    for path in [*(ROOT / folder).rglob("*.md"), ROOT / "README.md"]
    if "vendor" not in path.parts
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
NAMED = re.compile(r"`((?:apps|benchmarks|bitvault|deploy|docs|tests)/[\w./-]+\.\w+)`")


def missing(document: Path) -> list[str]:
    text = document.read_text(encoding="utf-8")
    linked = [link for link in LINK.findall(text) if not (document.parent / link).exists()]
    return linked + [name for name in NAMED.findall(text) if not (ROOT / name).exists()]


@pytest.mark.parametrize("document", sorted(set(DOCUMENTS)), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_names_only_files_that_are_there(document):
    assert missing(document) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("[a](page.md) [b](gone.md#top) [c](https://example.com/x) `tests/gone.py` `docs/glossary.md`")
    assert missing(page) == ["gone.md", "tests/gone.py"]


@pytest.mark.parametrize("folder", ["apps", "bitvault"])
def test_every_room_has_its_page(folder):
    rooms = [path for path in (ROOT / folder).iterdir() if (path / "__init__.py").exists() and path.name != "settings"]
    assert [room.name for room in rooms if not (room / "README.md").exists()] == []


def test_every_decision_stands_in_the_list_under_its_own_number():
    decisions = ROOT / "docs" / "decisions"
    names = sorted(path.name for path in decisions.glob("0*.md"))
    assert sorted(re.findall(r"\]\((0\d+-[\w-]+\.md)\)", (decisions / "README.md").read_text())) == names
    numbers = [name[:4] for name in names]
    assert len(set(numbers)) == len(numbers)
