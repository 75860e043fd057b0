"""The contracts of ``.importlinter`` hold for the real tree, and each of them is broken by an import that it is there to forbid."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

BREACHES = [
    # contract, the file that is changed (or made), and the import that is added to it
    ("rooms", "bitvault/kernel/clock.py", "from apps.files import api"),
    ("rooms", "bitvault/kernel/clock.py", "from bitvault.events import outbox"),
    ("rooms", "bitvault/web/views.py", "from apps.identity import api"),
    ("rooms", "bitvault/events/outbox.py", "from bitvault.web import problems"),
    ("house", "bitvault/extras/__init__.py", ""),
    ("stack", "bitvault/settings/production.py", "from bitvault.stack import layout"),
    ("stack", "apps/storage/provider.py", "from bitvault.stack.layout import ROOT"),
    ("roof", "apps/files/rest/views.py", "from bitvault.gateway import health"),
    ("doors", "apps/search/consumers.py", "from apps.files import models"),
    ("doors", "apps/search/consumers.py", "from apps.files.models import Node"),
    ("doors", "apps/storage/queries.py", "from apps.billing import queries as quotas"),
    ("doors", "bitvault/gateway/me.py", "from apps.identity import queries"),
    ("doors", "apps/files/rest/views.py", "from apps.files import queries"),
    ("doors", "apps/billing/rest/views.py", "from apps.billing.models import Plan"),
    ("stream-door", "apps/files/queries.py", "from bitvault.events.models import StreamEvent"),
    ("stream-door", "bitvault/gateway/me.py", "from bitvault.events import outbox"),
    ("jobs-door", "apps/files/queries.py", "from bitvault.jobs.models import Job"),
    ("jobs-door", "bitvault/gateway/me.py", "from bitvault.jobs import queueing"),
    ("jobs", "bitvault/jobs/models.py", "from bitvault.jobs import kinds"),
    ("plain", "apps/files/dtos.py", "from django.db import models"),
    ("plain", "apps/files/errors.py", "from apps.files import models"),
    ("plain", "apps/billing/dtos.py", "from apps.files.api import Node"),
    ("one-way", "apps/billing/queries.py", "from apps.files import api as files"),
    ("one-way", "bitvault/web/problems.py", "from bitvault.web import openapi"),
    ("catalogue", "bitvault/events/catalog/files.py", "from apps.files.dtos import Node"),
    ("catalogue", "bitvault/events/catalog/files.py", "import django"),
    ("catalogue", "bitvault/events/catalog/files.py", "from bitvault.kernel import clock"),
    ("catalogue-parts", "bitvault/events/catalog/files.py", "from bitvault.events.catalog import identity"),
    ("events", "bitvault/events/message.py", "from bitvault.events import models"),
    ("mail-door", "apps/identity/operations/emails.py", "from bitvault.mail import sending"),
    ("mail", "bitvault/mail/letters.py", "from bitvault.mail import api"),
    ("kernel", "bitvault/kernel/tenancy.py", "from bitvault.kernel import actor"),
    ("identity", "apps/identity/queries.py", "from apps.identity import operations"),
    ("files", "apps/files/models.py", "from apps.files import tree"),
    ("storage", "apps/storage/operations/starting.py", "from apps.storage import api"),
    ("billing", "apps/billing/operations.py", "from apps.billing.rest import views"),
]


def _contracts() -> dict[str, configparser.SectionProxy]:
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    prefix = "importlinter:contract:"
    return {name.removeprefix(prefix): config[name] for name in config.sections() if name.startswith(prefix)}


# A module that nobody has given a place breaks the contract of its package.
BREACHES += [
    (name, f"{container.replace('.', '/')}/anything.py", "")
    for name, options in _contracts().items()
    if options.getboolean("exhaustive", fallback=False)
    for container in options["containers"].split()
]


def lint(directory: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    chosen = [word for contract in contracts for word in ("--contract", contract)]
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", *chosen],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copied_tree(tmp_path_factory) -> Path:
    """A copy of the real tree, so that nothing is planted in the tree that others work in."""
    directory = tmp_path_factory.mktemp("tree")
    for room in ("bitvault", "apps"):
        shutil.copytree(ROOT / room, directory / room, ignore=lambda _, names: [n for n in names if _is_no_code(n)])
    shutil.copy(ROOT / ".importlinter", directory)
    return directory


def _is_no_code(name: str) -> bool:
    return name in ("__pycache__", "static", "templates") or ("." in name and not name.endswith(".py"))


def test_the_real_tree_keeps_every_contract():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("contract", "path", "line"), BREACHES)
def test_a_planted_import_breaks_its_contract(copied_tree, contract, path, line):
    file = copied_tree / path
    before = file.read_text() if file.exists() else None
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{before or ''}\n{line}\n")
    try:
        done = lint(copied_tree, contract)
    finally:
        if before is None:
            file.unlink()
            if path.endswith("__init__.py"):
                file.parent.rmdir()
        else:
            file.write_text(before)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout, done.stdout + done.stderr


def test_every_contract_has_a_planted_breach():
    assert {breach[0] for breach in BREACHES} == set(_contracts())


def test_no_contract_has_a_list_of_exceptions():
    for contract, options in _contracts().items():
        assert not {"ignore_imports", "exhaustive_ignores", "skip_descendants"} & set(options), contract
