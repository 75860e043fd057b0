"""Which files come in by their names: extensions in any spelling, several in a row, none, and names that hide theirs."""

import pytest

from bitvault.kernel.file_rules import Admitted, FileRules, combine, read_extension

REFUSING = FileRules("except", (".exe", ".tar.gz", ".übung"))
ALLOWING = FileRules("only", (".pdf", ".tar.gz"))


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("setup.exe", ".exe"),
        ("SETUP.EXE", ".exe"),
        ("invoice.pdf.exe", ".exe"),
        ("invoice.exe.pdf", None),
        (".exe", ".exe"),
        ("exe", None),
        ("setupexe", None),
        ("backup.TAR.gz", ".tar.gz"),
        ("backup.gz", None),
        ("Heft.U\u0308BUNG", ".übung"),
        # Windows opens these as programs, and a reader takes them for one.
        ("setup.exe.", ".exe"),
        ("setup.exe .", ".exe"),
        ("setup.exe\u00a0", ".exe"),
        ("setup.e\u200bxe", ".exe"),
        ("invoice\u202efdp.exe", ".exe"),
        ("setup．ｅｘｅ", ".exe"),
        ("no extension", None),
    ],
)
def test_names_that_end_with_a_refused_extension_are_refused(name, refused):
    assert REFUSING.find_refused(name) == refused


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("a.pdf", None),
        ("A.PdF", None),
        ("a.pdf.exe", ".exe"),
        ("a.exe.pdf", None),
        ("b.tar.gz", None),
        ("b.gz", ".gz"),
        ("README", ""),
        (".gitignore", ""),
        ("Mr. Smith", ""),
        ("a.pdf ", None),
    ],
)
def test_where_only_some_come_in_all_others_are_refused(name, refused):
    assert ALLOWING.find_refused(name) == refused


def test_names_without_an_extension_are_meant_by_a_dot():
    allowing, refusing = FileRules("only", (".pdf", ".")), FileRules("except", (".",))
    for name in ("README", ".gitignore"):
        assert allowing.find_refused(name) is None
        assert refusing.find_refused(name) == ""
    assert allowing.find_refused("a.exe") == ".exe"
    assert refusing.find_refused("a.exe") is None


def test_without_a_rule_everything_comes_in():
    assert FileRules("all", (".exe",)).find_refused("setup.exe") is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("exe", ".exe"),
        ("*.EXE", ".exe"),
        (" .Tar.Gz ", ".tar.gz"),
        ("U\u0308bung", ".übung"),
        (".", "."),
        ("*.", "."),
        ("", None),
        ("*", None),
        ("..", None),
        ("a b", None),
        ("a/b", None),
        ("<script>", None),
        ("x" * 17, None),
        ("a.b.c", None),
    ],
)
def test_extensions_are_read_as_people_write_them(text, read):
    assert read_extension(text) == read


@pytest.mark.parametrize(
    ("rules", "admitted"),
    [
        ([], Admitted()),
        ([FileRules("except", (".exe",)), FileRules("except", (".bat", ".exe"))], Admitted(None, (".exe", ".bat"))),
        ([FileRules("only", (".pdf", ".gz")), FileRules("only", (".tar.gz", ".exe"))], Admitted((".tar.gz",))),
        ([FileRules("only", (".tar.gz", ".")), FileRules("only", (".gz", "."))], Admitted((".tar.gz", "."))),
        ([FileRules("only", (".pdf", ".exe")), FileRules("except", (".exe", ".bat"))], Admitted((".pdf",))),
        ([FileRules("only", (".gz",)), FileRules("except", (".tar.gz",))], Admitted((".gz",), (".tar.gz",))),
        ([FileRules("only", (".pdf",)), FileRules("only", (".exe",))], Admitted(())),
        ([FileRules(largest_bytes=7), FileRules(), FileRules(largest_bytes=5)], Admitted(largest_bytes=5)),
    ],
)
def test_rules_that_all_hold_let_in_what_each_of_them_does(rules, admitted):
    assert combine(rules) == admitted
    for name in ("a.pdf", "a.gz", "a.tar.gz", "a.exe", "a.bat", "none"):
        together = FileRules("only", admitted.allowed) if admitted.allowed is not None else FileRules()
        is_let_in = (
            together.find_refused(name) is None and FileRules("except", admitted.refused).find_refused(name) is None
        )
        assert is_let_in is all(rule.find_refused(name) is None for rule in rules), name
