"""Ids of elements: a script that listens at the document for a form's id hears every form of that id, whichever module drew it."""

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
ID = re.compile(r'\bid="([a-z0-9-]+)"')

SHARED = {
    "main",  # each page has one
    "announcer",  # of the member's and of the visitor's frame
    "password",  # of pages that stand alone
    "password-error",
}


def find_met(texts):
    """Find the ids that stand in templates of several modules."""
    modules = defaultdict(set)
    for module, text in texts:
        for name in ID.findall(text):
            modules[name].add(module)
    return {name: sorted(found) for name, found in modules.items() if len(found) > 1 and name not in SHARED}


def test_no_two_modules_draw_elements_of_one_id():
    templates = [*ROOT.glob("apps/*/ui/templates/**/*.html"), *ROOT.glob("bitvault/web/templates/**/*.html")]
    assert len(templates) > 50
    assert find_met((path.relative_to(ROOT).parts[1], path.read_text()) for path in templates) == {}


def test_two_forms_of_one_id_are_found():
    texts = [("files", '<form id="team-form">'), ("identity", '<form id="team-form"><main id="main">')]
    assert find_met(texts) == {"team-form": ["files", "identity"]}
