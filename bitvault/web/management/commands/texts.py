"""``manage.py texts``: gather what people read out of code, templates and scripts into catalogues, and compile these.

Each app keeps its own texts in ``locale/``; what lies in ``bitvault`` is kept by ``bitvault.web``. Needs Babel, which is a package of the
checks; the compiled catalogues are committed, so an installation needs nothing.
"""

import ast
import io
import json
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import template

Domain = Literal["django", "djangojs"]
Text = tuple[str | None, str | tuple[str, str]]
"""Context and message, or both forms of a plural."""

KEYWORDS: dict[str, Any] = {
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "_": None,
    "_lazy": None,
    "ngettext": (1, 2),
    "counted": (1, 2),
    "pgettext": ((1, "c"), 2),
}
LEFT_OUT = {"migrations", "stack", "settings", "postgres", "management", "backup"}
"""Folders whose texts only operators and programmers read; these stay English."""

MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)
"""What compiled catalogues say of their making: the same texts give the same bytes."""

SHARED = Path("bitvault") / "web"


class Command(BaseCommand):
    """Bring the catalogues of all languages up to date."""

    help = "Gathers what people read into catalogues and compiles them; --check changes nothing and fails where they are behind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer the mere look."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write, or look."""
        behind = []
        found = gather(Path(settings.ROOT))
        for code, _name in settings.LANGUAGES:
            if code == settings.LANGUAGE_CODE:
                continue
            for (home, domain), texts in sorted(found.items()):
                behind += update(Path(settings.ROOT) / home, code, domain, texts, write=not options["check"])
        if behind and options["check"]:
            raise CommandError("\n".join(["Run make texts, and translate what is new:", *behind]))
        for line in behind:
            self.stdout.write(line)


def gather(root: Path) -> dict[tuple[Path, Domain], list[Text]]:
    """Find every text below ``bitvault`` and ``apps``, by where it is kept."""
    found: dict[tuple[Path, Domain], dict[Text, None]] = {}
    for path in sorted([*(root / "bitvault").rglob("*"), *(root / "apps").rglob("*")]):
        relative = path.relative_to(root)
        if "vendor" in relative.parts or LEFT_OUT & set(relative.parts):
            continue
        home = Path(*relative.parts[:2]) if relative.parts[0] == "apps" else SHARED
        for domain, text in read_texts(path):
            found.setdefault((home, domain), {})[text] = None
    return {key: list(texts) for key, texts in found.items()}


def read_texts(path: Path) -> Iterator[tuple[Domain, Text]]:
    """Read the texts of one file."""
    if path.suffix == ".py":
        source = path.read_text()
        yield from (("django", text) for text in extract("python", source))
        yield from (("django", (None, text)) for text in read_errors(source))
    elif path.suffix in (".html", ".txt", ".mjml") and "templates" in path.parts:
        yield from (("django", text) for text in extract("python", read_template(path.read_text())))
    elif path.suffix == ".js":
        yield from (("djangojs", text) for text in extract("javascript", path.read_text()))
    elif path.name == "types.json":
        for label in json.loads(path.read_text())["labels"].values():
            yield "django", (None, label)
            yield "djangojs", (None, label)


def read_template(source: str) -> str:
    """Turn a template into what looks like Python to a reader of its texts; lines begin at the margin, for indents would mean something."""
    return "\n".join(line.strip() for line in template.templatize(source).splitlines())


def extract(method: str, source: str) -> Iterator[Text]:
    """Let Babel find the marked texts of a source."""
    from babel.messages import extract as babel  # a package of the checks

    for _line, message, _comments, context in babel.extract(method, io.BytesIO(source.encode()), keywords=KEYWORDS):
        if message:
            yield context, tuple(message) if isinstance(message, (tuple, list)) else message  # type: ignore[misc] # pairs


def read_errors(source: str) -> Iterator[str]:
    """Find titles of errors, and the details that they are raised with: ``problems.render`` translates both."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.Assign) and [ast.unparse(target) for target in part.targets] == ["title"]:
                    yield from _constant(part.value)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            yield from () if ast.unparse(node.exc.func).endswith("ProgrammingError") else _constant(node.exc.args[0])


def _constant(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_constant(node.body), *_constant(node.orelse))
    # Errors of programs, which only programmers see, begin with a small letter.
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and " " in node.value
        and not node.value[0].islower()
    ):
        yield node.value


def update(home: Path, code: str, domain: Domain, texts: list[Text], *, write: bool) -> list[str]:
    """Bring one catalogue up to date; tells what was, or is, behind."""
    from babel.messages.catalog import Catalog  # a package of the checks
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po, write_po

    folder = home / "locale" / code / "LC_MESSAGES"
    source, compiled = folder / f"{domain}.po", folder / f"{domain}.mo"
    old = read_po(io.BytesIO(source.read_bytes()), locale=code) if source.exists() else Catalog(locale=code)
    new = Catalog(locale=code, header_comment="#", fuzzy=False)
    behind = []
    for context, message in texts:
        kept = old.get(message[0] if isinstance(message, tuple) else message, context)
        string = (
            kept.string
            if kept is not None and _is_whole(kept.string)
            else ("" if isinstance(message, str) else ("", ""))
        )
        entry = new.add(message, string, context=context)
        if "%(" in str(message):
            entry.flags.add("python-format")
        if not _is_whole(entry.string):
            behind.append(f"{source.relative_to(settings.ROOT)}: not translated: {message!r}")
    text, binary = io.BytesIO(), io.BytesIO()
    write_po(text, new, omit_header=True, sort_output=True, width=0)
    head = (
        f'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: {new.plural_forms}\\n"\n\n'
    )
    whole = head.encode() + text.getvalue()
    ready = read_po(io.BytesIO(whole), locale=code)
    ready.creation_date = ready.revision_date = MADE_AT
    write_mo(binary, ready)
    for path, content in ((source, whole), (compiled, binary.getvalue())):
        if not path.exists() or path.read_bytes() != content:
            if path is source or not write:
                behind.append(f"{path.relative_to(settings.ROOT)} is behind")
            if write:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    return behind


def _is_whole(string: Any) -> bool:
    return all(string) if isinstance(string, (tuple, list)) else bool(string)
