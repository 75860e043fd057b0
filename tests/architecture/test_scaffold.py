"""The scaffold: what `make module` writes passes lint, types, imports and the check of migrations, in a copy of the tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

pytestmark = pytest.mark.journey

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".ruff_cache", "*.log")
TOOLS = Path(sys.executable).parent
SECONDS = 300


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the tree in which the module ``labels`` was written."""
    copy = tmp_path_factory.mktemp("scaffold") / "tree"
    # With mypy's cache, where there is one: what has not changed is not read again.
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT, symlinks=True)
    written = run(copy, "python", "-m", "scaffold", "labels", "Labels of files")
    assert "wrote apps/labels/models.py" in written.stdout
    return copy


def run(copy, tool, *arguments, code=0):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("BITVAULT_")},
        "DJANGO_SETTINGS_MODULE": "bitvault.settings.checks",
    }
    done = subprocess.run(
        [str(TOOLS / tool), *arguments],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_it_is_laid_out_and_keeps_the_rules_of_lint(copy):
    run(copy, "ruff", "format", "--check")
    run(copy, "ruff", "check")


def test_its_types_are_right(copy):
    run(copy, "mypy")


def test_it_imports_what_a_module_may_import(copy):
    run(copy, "lint-imports")
    assert "[importlinter:contract:labels]" in (copy / ".importlinter").read_text()


def test_its_tables_have_their_migration(copy):
    run(copy, "python", "-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run")
    run(copy, "python", "manage.py", "check")


def test_its_consumer_job_routes_and_section_are_registered(copy):
    said = run(
        copy,
        "python",
        "-c",
        "import django; django.setup()\n"
        "from bitvault.events.consuming import list_consumers; from bitvault.jobs.kinds import list_kinds\n"
        "from bitvault.web.shell import sections; from django.urls import resolve\n"
        "from bitvault.gateway.celery import app\n"
        "print('labels' in list_consumers(), 'labels.forget' in list_kinds(), [s.href for s in sections.all() if s.key == 'labels'])\n"
        "print(resolve('/api/v1/labels/versions').route, resolve('/labels/').route, 'labels' in {q.name for q in app.conf.task_queues})\n",
    )
    assert said.stdout.splitlines() == [
        "True True ['/labels/']",
        "api/v1/labels/versions labels/ True",
    ]


def test_its_functions_are_not_written_yet_so_that_its_tests_fail_first(copy):
    assert (copy / "apps/labels/operations.py").read_text().count("raise NotImplementedError") == 2
    found = run(copy, "python", "-m", "compileall", "-q", "tests/apps/labels", "apps/labels")
    assert found.stdout == ""


def test_nothing_is_written_over_and_a_bad_name_is_refused(copy):
    assert "is there already" in run(copy, "python", "-m", "scaffold", "labels", code=1).stderr
    assert "no name for a module" in run(copy, "python", "-m", "scaffold", "Bad-Name", code=1).stderr


LATER = """
[importlinter:contract:later]
name = Layers of the modules whose work comes later
type = layers
containers =
    apps.comments
layers =
    (management) | (admin) | (apps) | (migrations)
    (rest) | (ui) | (sockets) | (consumers) | (tasks)
    (api)
    (operations)
    (queries)
    (models)
    (dtos) | (errors)
exhaustive = True
"""


def test_a_module_whose_work_has_not_begun_keeps_its_page(copy):
    page = copy / "apps/comments/README.md"
    page.parent.mkdir()
    page.write_text("# Comments\n\nThere is nothing here yet.\n")
    (page.parent / "__init__.py").touch()
    with (copy / ".importlinter").open("a") as contracts:
        contracts.write(LATER)
    run(copy, "python", "-m", "scaffold", "comments")
    assert page.read_text() == "# Comments\n\nThere is nothing here yet.\n"
    assert (copy / ".importlinter").read_text().count("    apps.comments\n") == 1
    run(copy, "lint-imports")
