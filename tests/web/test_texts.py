"""The catalogues of all languages hold every text, translated, and are compiled as they stand."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import translation

from bitvault.kernel.errors import BitVaultError, Invalid
from bitvault.web.management.commands import texts
from tests.architecture.sources import ROOT


def test_every_text_is_in_the_catalogues_translated_and_compiled():
    call_command("texts", check=True)


def test_texts_are_found_in_code_templates_scripts_and_errors(tmp_path):
    (tmp_path / "templates").mkdir()
    for name, content in {
        "views.py": 'from x import gettext_lazy as _\nA = _("In code")\nclass E(X):\n    title = "A title"\nraise E("A detail")',
        "templates/a.html": '  {% translate "In a template" %}\n{% blocktranslate with n=x.y %}Of {{ n }}{% endblocktranslate %}',
        "a.js": 'gettext("In a script"); counted("%(count)s one", "%(count)s many", 2); pgettext("when", "soon")',
    }.items():
        (tmp_path / name).write_text(content)
    found = [text for path in tmp_path.rglob("*") if path.is_file() for _, (_, text) in texts.read_texts(path)]
    assert set(found) == {
        "In code",
        "A title",
        "A detail",
        "In a template",
        "Of %(n)s",
        "In a script",
        ("%(count)s one", "%(count)s many"),
        "soon",
    }


SCRIPTS = [path for root in ("apps", "bitvault") for path in (ROOT / root).rglob("*.js") if "vendor" not in path.parts]
WORDS = re.compile(r'"(?:[A-Z][a-z]+[ …][^"\n]*|[A-Z][a-z]{3,}(?: [a-z]+)+[^"\n]*)"')
MARKED = re.compile(r"(?:gettext|ngettext|pgettext|counted)\([^;]*$")
UNSEEN = re.compile(r"(?:new (?:Error|DOMException)|console\.\w+)\([^)]*$")
"""What is told to programmers alone."""


def find_unmarked(source: str) -> list[str]:
    bare = re.sub(r"/\*.*?\*/|(?<![:\"])//[^\n]*", "", source, flags=re.DOTALL)
    found = []
    for match in WORDS.finditer(bare):
        before = bare[bare.rfind("\n", 0, match.start()) + 1 : match.start()]
        if not MARKED.search(before) and not UNSEEN.search(before):
            found.append(match[0])
    return found


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(Path(path).relative_to(ROOT)))
def test_no_text_of_a_script_was_left_unmarked(path):
    assert find_unmarked(path.read_text()) == []


def test_an_unmarked_text_of_a_script_is_found():
    assert find_unmarked('toast("Something is wrong.");') == ['"Something is wrong."']
    assert find_unmarked('toast(gettext("Something is wrong."));') == []
    assert find_unmarked('throw new Error("The page lacks it");') == []


def find_put_together(source: str, names: set[str]) -> list[str]:
    """Find errors raised with a sentence that was put together in code: it is in no catalogue."""
    return [
        f"{node.lineno}: {ast.unparse(node.exc.args[0])}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and ast.unparse(node.exc.func).rpartition(".")[2] in names
        and node.exc.args
        and isinstance(node.exc.args[0], ast.JoinedStr | ast.BinOp)
    ]


def test_sentences_of_errors_name_their_facts():
    names = {kind.__name__ for kind in all_kinds(BitVaultError)}
    assert len(names) > 200
    found = {
        str(path.relative_to(ROOT)): told
        for root in ("apps", "bitvault")
        for path in (ROOT / root).rglob("*.py")
        if not texts.LEFT_OUT & set(path.relative_to(ROOT).parts)
        and (told := find_put_together(path.read_text(), names))
    }
    assert found == {}


def all_kinds(kind: type) -> list[type]:
    return [kind, *(below for each in kind.__subclasses__() for below in all_kinds(each))]


def test_a_sentence_is_told_with_its_facts_in_the_language_of_the_moment():
    error = Invalid("This needs a token with the scope %(scope)s.", scope="%(other)s", other="no")
    assert str(error) == error.detail == "This needs a token with the scope %(other)s."
    with translation.override("de"):
        assert error.detail == "Dafür braucht es ein Token mit dem Umfang %(other)s."
        assert error.as_problem()["detail"] == error.detail
    assert Invalid("100 %(missing)s is 100 %").detail == "100 %(missing)s is 100 %"
