"""What runs in production imports nothing that is installed for checks and tests alone."""

import ast
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions

import pytest

from tests.architecture.sources import ROOT

RUNTIME = [path for folder in ("apps", "bitvault") for path in sorted((ROOT / folder).rglob("*.py"))]
OUR_OWN = {"apps", "bitvault"}
BUILDING = {"bitvault/mail/compiling.py": {"mjml"}, "bitvault/web/management/commands/texts.py": {"babel"}}
"""What makes files that are committed: run by developers, imported by nothing that serves."""
NORMAL = re.compile(r"[-_.]+")


installed = cache(packages_distributions)


@cache
def pinned() -> frozenset[str]:
    """What requirements.txt installs."""
    names = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    return frozenset(NORMAL.sub("-", name).lower() for name in names)


def imported_when_run(source: str) -> set[str]:
    """The top packages that a module imports, leaving out what only a type checker reads."""
    found = set()

    class Reader(ast.NodeVisitor):
        def visit_If(self, node):
            if ast.unparse(node.test).removeprefix("typing.") == "TYPE_CHECKING":
                for other in node.orelse:
                    self.visit(other)
            else:
                self.generic_visit(node)

        def visit_Import(self, node):
            found.update(alias.name.partition(".")[0] for alias in node.names)

        def visit_ImportFrom(self, node):
            if node.level == 0:
                found.add(node.module.partition(".")[0])

    Reader().visit(ast.parse(source))
    return found


def is_installed_to_run(package: str) -> bool:
    if package in OUR_OWN or package in sys.stdlib_module_names:
        return True
    distributions = {NORMAL.sub("-", name).lower() for name in installed().get(package, ())}
    return bool(distributions & pinned())


def test_nothing_that_runs_needs_a_package_of_checks_and_tests():
    missing = {
        f"{path.relative_to(ROOT)}: {package}"
        for path in RUNTIME
        for package in imported_when_run(path.read_text()) - BUILDING.get(path.relative_to(ROOT).as_posix(), set())
        if not is_installed_to_run(package)
    }
    assert missing == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import django_stubs_ext", False),
        ("from pytest import fixture", False),
        ("import celery.result", True),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import django_stubs_ext", True),
    ],
)
def test_it_is_seen_where_something_does(source, found):
    assert all(map(is_installed_to_run, imported_when_run(source))) == found
