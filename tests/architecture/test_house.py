"""Rules of the house that a reading of the code can check. Each is shown to find what it forbids, and to leave alone what it does not."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.architecture.sources import Source, read_all

LINES_LIMIT = 400
"""Past about so many lines a file holds more than one thing."""


@dataclass(frozen=True)
class Rule:
    """What must not be written, where it may be after all (and why), and texts that show the difference."""

    name: str
    find: Callable[[Source], Iterator[str]]
    breaches: list[tuple[str, str]]
    fine: list[tuple[str, str]]
    places: dict[str, str] = field(default_factory=dict)

    def check(self, source: Source) -> list[str]:
        if any(source.path.startswith(place) for place in self.places):
            return []
        return list(self.find(source))

    def __str__(self) -> str:
        return self.name


# --- what is looked for ----------------------------------------------------------------------------------------------------


def reading_the_environment(source: Source) -> Iterator[str]:
    # Naming the settings module, and handing the whole environment on to a program, read no variable.
    chosen = {
        id(value)
        for node in source.nodes
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if key is None
    } | {
        id(node.func.value)
        for node in source.nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "setdefault"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value == "DJANGO_SETTINGS_MODULE"
    }
    for name, node in source.names:
        if name in ("os.environ", "os.environb", "os.getenv", "environ.Env") and id(node) not in chosen:
            yield source.at(node, "reads the environment")
    for name, node in source.imports:
        if name in ("os.environ", "os.environb", "os.getenv"):
            yield source.at(node, "reads the environment")


_CLASS_OR_ESCAPE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")


def loose_ends(source: Source) -> Iterator[str]:
    """``$`` matches before a last line break too; and letters and digits of all scripts are more than most patterns mean.

    What JSON Schema calls a pattern has no other end than ``$``: there a length says that nothing follows.
    """
    for node in source.nodes:
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        if (
            called in {f"re.{verb}" for verb in ("compile", "match", "search", "fullmatch", "sub", "split")}
            and node.args
        ):
            if "$" in _CLASS_OR_ESCAPE.sub("", _text_of(node.args[0])):
                yield source.at(node, "ends a pattern with $, which lets a line break pass: use fullmatch or \\Z")
        elif called.rpartition(".")[2] == "Meta" and "pattern" in keywords:
            pattern = _text_of(keywords["pattern"])
            if ("$" in pattern and "max_length" not in keywords) or re.search(r"\\[wd]", pattern):
                yield source.at(node, "says a pattern that lets a line break or foreign letters pass")


def _text_of(node: ast.AST) -> str:
    return "".join(
        part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


SWITCHES = {
    "atomic",
    "set_autocommit",
    "set_schema",
    "set_schema_to_public",
    "set_tenant",
    "schema_context",
    "tenant_context",
    "set_role",
}
_SWITCHING_SQL = re.compile(
    r"\bSET\s+(?:LOCAL\s+|SESSION\s+)?(?:ROLE|SEARCH_PATH)\b|set_config\(|\bRESET\s+ROLE\b", re.IGNORECASE
)


def switching_schema_or_transaction(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in SWITCHES:
            yield source.at(node, f"uses {node.attr}")
    for name, node in source.imports:
        if name.rpartition(".")[2] in SWITCHES:
            yield source.at(node, f"imports {name}")
    for text, node in source.texts:
        if _SWITCHING_SQL.search(text):
            yield source.at(node, "switches role or search path in SQL")


def signals(source: Source) -> Iterator[str]:
    for name, node in source.imports:
        if name.startswith(("django.db.models.signals", "django.dispatch", "django.core.signals")):
            yield source.at(node, f"imports {name}")


def saving_in_a_model(source: Source) -> Iterator[str]:
    if "/models" not in source.path:
        return
    for node in source.nodes:
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and part.name in ("save", "delete", "save_base"):
                    yield source.at(part, f"{node.name} overrides {part.name}")


_NOTIFYING_SQL = re.compile(r"\bpg_notify\s*\(|(?:^|;)\s*(?:NOTIFY|LISTEN|UNLISTEN)\s+\w", re.IGNORECASE | re.MULTILINE)


def notifying(source: Source) -> Iterator[str]:
    for text, node in source.texts:
        if _NOTIFYING_SQL.search(text) and not text.rstrip().endswith("."):
            yield source.at(node, "uses NOTIFY")


_FOLDING_SQL = re.compile(r"\bI?LOWER\s*\(|\bUPPER\s*\(|\bILIKE\b|\bcitext\b", re.IGNORECASE)
_FOLDING_LOOKUP = re.compile(r"__(?:iexact|icontains|istartswith|iendswith|iregex)$")
_FOLDING_CLASSES = ("Lower", "Upper", "CICharField", "CITextField", "CITextExtension")


def folding_names_elsewhere(source: Source) -> Iterator[str]:
    for name, node in source.imports:
        if name.rpartition(".")[2] in _FOLDING_CLASSES or name == "unicodedata":
            yield source.at(node, f"imports {name}")
    for node in source.nodes:
        if isinstance(node, ast.keyword) and node.arg and _FOLDING_LOOKUP.search(node.arg):
            yield source.at(node.value, f"looks up by {node.arg}")
        if isinstance(node, ast.Attribute) and node.attr == "casefold":
            yield source.at(node, "folds case")
    for text, node in source.texts:
        if _FOLDING_SQL.search(text):
            yield source.at(node, "folds case in SQL")


def files_for_anything(source: Source) -> Iterator[str]:
    for part in source.path.removesuffix(".py").split("/"):
        if part in ("util", "utils", "helper", "helpers", "common", "service", "services", "misc"):
            yield f"{source.path}: a file called {part} says nothing"


def long_files(source: Source) -> Iterator[str]:
    count = source.text.count("\n")
    if count > LINES_LIMIT:
        yield f"{source.path}: {count} lines"


_COPYING_SQL = re.compile(r"^\s*COPY\s+[\w\"(.]", re.IGNORECASE)


def copying(source: Source) -> Iterator[str]:
    for text, node in source.texts:
        if _COPYING_SQL.search(text):
            yield source.at(node, "uses COPY")


def bytes_through_django(source: Source) -> Iterator[str]:
    unwanted = ("FileResponse", "StreamingHttpResponse", "django.views.static", "wsgi.file_wrapper", "FileUploadParser")
    unwanted += ("MultiPartParser", "FormParser")
    for name, node in source.imports:
        if any(part in name for part in unwanted):
            yield source.at(node, f"imports {name}")
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in (*unwanted, "FILES", "upload_handlers"):
            yield source.at(node, f"uses {node.attr}")


RULES = [
    Rule(
        "settings/env.py alone reads the environment",
        reading_the_environment,
        breaches=[
            ("apps/files/limits.py", "import os\nLIMIT = int(os.environ['LIMIT'])"),
            ("apps/files/limits.py", "from os import getenv"),
            ("apps/files/limits.py", "import os\nLIMIT = os.getenv('LIMIT')"),
            ("bitvault/settings/base.py", "import os\nDEBUG = os.environ.get('DEBUG')"),
            ("bitvault/gateway/wsgi.py", "import os\nos.environ.setdefault('ANYTHING', '1')"),
        ],
        fine=[
            ("bitvault/settings/env.py", "import os\nos.environ['X']"),
            ("bitvault/gateway/wsgi.py", "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'x')"),
            ("apps/identity/provisioning.py", "import os\nrun(['pg_dump'], env={**os.environ, 'PGPASSWORD': p})"),
        ],
        places={
            "bitvault/settings/env.py": "it is the place",
            "bitvault/settings/checks.py": "sets made-up values for tools that start no service; reads none",
            "bitvault/stack/": "makes the environment of the processes that it starts",
        },
    ),
    Rule(
        "the kernel alone opens transactions and chooses schema and role",
        switching_schema_or_transaction,
        breaches=[
            ("apps/files/operations.py", "from django.db import transaction\nwith transaction.atomic(): pass"),
            ("apps/files/operations.py", "from django.db.transaction import atomic"),
            ("apps/files/tasks.py", "connection.set_schema('t_1')"),
            ("apps/files/tasks.py", "from django_tenants.utils import schema_context"),
            ("apps/files/tasks.py", "import django_tenants.utils as u\nu.tenant_context(t)"),
            ("apps/files/queries.py", "cursor.execute('SET LOCAL search_path TO x')"),
            ("apps/files/queries.py", "cursor.execute(\"select set_config('role', %s, true)\", [r])"),
            ("bitvault/gateway/middleware.py", "connection.set_tenant(tenant)"),
        ],
        fine=[
            ("apps/files/operations.py", "with db.write_transaction() as tx: pass"),
            ("bitvault/kernel/db.py", "with transaction.atomic(): pass"),
        ],
        places={
            "bitvault/kernel/db.py": "it is the place",
            "bitvault/kernel/postgres/base.py": "says it for kernel.db, and differs in tests that are rolled back",
            "apps/identity/provisioning.py": "makes and migrates schemas, as their owner",
            "bitvault/events/partitions.py": "makes and drops the stream's partitions, as their owner",
            "benchmarks/": "fill tables by the hundred thousand before they measure",
            "apps/identity/session_store.py": "Django saves sessions wherever it likes, inside transactions too: a taken key undoes a savepoint",
        },
    ),
    Rule(
        "nothing happens by signal",
        signals,
        breaches=[
            ("apps/files/models.py", "from django.db.models.signals import post_save"),
            ("apps/files/apps.py", "from django.dispatch import receiver"),
            ("bitvault/events/apps.py", "from django.db.models import signals"),
        ],
        fine=[("bitvault/gateway/celery.py", "from celery.signals import setup_logging")],
    ),
    Rule(
        "models do not act when saved",
        saving_in_a_model,
        breaches=[
            ("apps/files/models.py", "class Node(TenantModel):\n    def save(self, *a, **k): pass"),
            ("apps/files/models/node.py", "class Node(TenantModel):\n    def delete(self, *a, **k): pass"),
        ],
        fine=[("apps/identity/session_store.py", "class SessionStore(SessionBase):\n    def save(self): pass")],
        places={"bitvault/kernel/models.py": "keeps a tenant's rows at home, for all tables alike"},
    ),
    Rule(
        "nobody waits for NOTIFY",
        notifying,
        breaches=[
            ("apps/sync/operations.py", "cursor.execute('NOTIFY heads')"),
            ("apps/sync/operations.py", "cursor.execute(\"SELECT pg_notify('heads', %s)\", [n])"),
            ("bitvault/events/relay.py", "SQL = '''\nlisten heads\n'''"),
        ],
        fine=[("apps/sync/operations.py", '"""Nobody uses NOTIFY here."""')],
    ),
    Rule(
        "names are folded in kernel.names and nowhere else",
        lambda source: (
            folding_names_elsewhere(source)
            if source.path.startswith(("apps/files/", "apps/sync/", "apps/sharing/"))
            else iter(())
        ),
        breaches=[
            ("apps/files/queries.py", "nodes.filter(name__iexact=name)"),
            ("apps/files/queries.py", "from django.db.models.functions import Lower"),
            ("apps/files/queries.py", "cursor.execute('SELECT 1 FROM files_node WHERE lower(name) = %s')"),
            ("apps/files/queries.py", "cursor.execute('... name ILIKE %s')"),
            ("apps/files/operations/structure.py", "key = name.casefold()"),
            ("apps/files/tree.py", "import unicodedata"),
        ],
        fine=[("apps/identity/models.py", "from django.db.models.functions import Lower")],
    ),
    Rule(
        "a pattern's end is the text's end",
        loose_ends,
        breaches=[
            ("bitvault/web/etags.py", 'import re\nTAG = re.compile(r"^[a-z]+$")'),
            ("bitvault/web/etags.py", 'import re\nre.match("^[a-z]$|b", text)'),
            ("bitvault/gateway/uploads.py", 'Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]+$")]'),
            ("bitvault/gateway/uploads.py", 'Kind = Annotated[str, Meta(pattern=r"^\\w+/\\w+$", max_length=255)]'),
        ],
        fine=[
            ("bitvault/web/etags.py", 'import re\nTAG = re.compile(r"[a-z$]+\\$\\Z")'),
            ("bitvault/gateway/uploads.py", 'Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]'),
        ],
    ),
    Rule(
        "no file is for anything",
        files_for_anything,
        breaches=[("apps/files/utils.py", ""), ("bitvault/web/helpers/dates.py", ""), ("apps/files/services.py", "")],
        fine=[("apps/files/tree.py", "")],
    ),
    Rule(
        "a file holds one thing",
        long_files,
        breaches=[("apps/files/operations.py", "pass\n" * (LINES_LIMIT + 1))],
        fine=[("apps/files/operations.py", "pass\n" * LINES_LIMIT)],
    ),
    Rule(
        "no COPY, which would pass by the check of who writes which table",
        copying,
        breaches=[("apps/files/operations.py", "cursor.copy('COPY files_node FROM STDIN')")],
        fine=[("apps/files/operations.py", "title = 'Copy'")],
        places={
            "benchmarks/": "fill tables by the hundred thousand before they measure",
            "bitvault/backup/database.py": "reads inventories as it dumps: as the owner of all tables",
        },
    ),
    Rule(
        "no bytes through Django",
        bytes_through_django,
        breaches=[
            ("apps/files/rest/views.py", "from django.http import FileResponse"),
            ("apps/files/ui/views.py", "from django import http\nhttp.StreamingHttpResponse(chunks)"),
            ("bitvault/gateway/content.py", "from django.views.static import serve"),
            ("bitvault/gateway/uploads.py", "data = request.FILES['file']"),
            ("apps/files/rest/views.py", "from rest_framework.parsers import MultiPartParser"),
        ],
        fine=[("apps/files/rest/views.py", "from django.http import HttpResponse")],
    ),
]


# --- the tests -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_house_keeps_it(rule):
    assert [breach for source in read_all() for breach in rule.check(source)] == []


@pytest.mark.parametrize(("rule", "path", "text"), [(rule, *breach) for rule in RULES for breach in rule.breaches])
def test_a_planted_breach_is_found(rule, path, text):
    assert rule.check(Source(path, text))


@pytest.mark.parametrize(("rule", "path", "text"), [(rule, *fine) for rule in RULES for fine in rule.fine])
def test_what_is_allowed_is_not_reported(rule, path, text):
    assert rule.check(Source(path, text)) == []


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_each_place_that_is_excepted_is_there_and_needs_it(rule):
    """An exception that nothing uses any more is taken out of the table."""
    for place in rule.places:
        sources = [source for source in read_all() if source.path.startswith(place)]
        assert any(list(rule.find(source)) for source in sources), place


def test_the_tree_is_really_read():
    paths = {source.path for source in read_all()}
    assert {"manage.py", "bitvault/kernel/db.py", "apps/files/api/__init__.py", "bitvault/gateway/urls.py"} <= paths
