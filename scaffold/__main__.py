"""``python -m scaffold NAME [TITLE]``: writes a new module into the tree that it stands in.

The templates in ``scaffold/module`` are the files of a module called ``example_module``; its names are replaced by those of the new one.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = ROOT / "scaffold" / "module"
SUFFIX = ".tpl"
NAME = re.compile(r"[a-z]+(?:_[a-z]+)*")

LEFT_ALONE = {"README.md", "__init__.py"}
"""What a module whose work has not begun has already."""

# Where a module is registered: file, the line before which it goes, and what goes there.
REGISTRATIONS = (
    (
        "bitvault/settings/base.py",
        re.compile(r"^\]\nINSTALLED_APPS = ", re.MULTILINE),
        '    "apps.{name}",\n',
    ),
    (
        "bitvault/gateway/urls_api.py",
        re.compile(r'^    path\("jobs", ', re.MULTILINE),
        '    path("", include("apps.{name}.rest.urls")),\n',
    ),
    (
        "bitvault/gateway/urls.py",
        re.compile(r"^\]$", re.MULTILINE),
        '    path("", include("apps.{name}.ui.urls")),\n',
    ),
    (
        ".importlinter",
        re.compile(r"^\[importlinter:contract:later\]$|\Z", re.MULTILINE),
        """[importlinter:contract:{name}]
name = Layers of {name}
type = layers
containers =
    apps.{name}
layers =
    (management) | (admin) | apps | migrations
    rest | ui | (sockets) | consumers | jobs | (tasks)
    api
    operations
    queries
    models
    dtos | errors
exhaustive = True

""",
    ),
)

NEXT_STEPS = """
{title} is registered. Next:
  1. `make openapi check`: the new routes are written down; lint, types, imports and migrations are right already
  2. `make test ARGS=tests/apps/{name}`: fails until operations.py does what its docstrings say
  3. tests/jobs/test_each_kind.py wants a scene for the job {name}.forget
  4. apps/{name}/README.md says what the module is for, what it owns and what holds
"""


class Refused(Exception):
    """The module cannot be written; the sentence says why."""


def write_module(name: str, title: str, *, root: Path = ROOT) -> list[Path]:
    """Write a module's files below ``root`` and register it; returns the files.

    :raises Refused: the name is none, or a file of the module is there already.
    """
    if not NAME.fullmatch(name):
        raise Refused(f"{name!r} is no name for a module: small letters, words joined by underscores.")
    planned = [
        (root / _rename(path.relative_to(TEMPLATES).as_posix(), name, title).removesuffix(SUFFIX), path)
        for path in sorted(TEMPLATES.rglob(f"*{SUFFIX}"))
    ]
    written = [(target, source) for target, source in planned if not (target.exists() and target.name in LEFT_ALONE)]
    if present := [target for target, _ in written if target.exists()]:
        raise Refused(f"{present[0].relative_to(root)} is there already.")
    for target, source in written:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_rename(source.read_text(encoding="utf-8"), name, title), encoding="utf-8")
    _register(name, root)
    return [target for target, _ in written]


def _rename(text: str, name: str, title: str) -> str:
    camel = "".join(word.capitalize() for word in name.split("_"))
    return text.replace("example_module", name).replace("ExampleModule", camel).replace("Example module", title)


_LATER_FOR_NONE = re.compile(
    r"\n*^\[importlinter:contract:later\]\n(?:(?!\[).*\n)*?containers =\nlayers =\n(?:(?!\[).*\n)*", re.MULTILINE
)
"""The contract of modules whose work comes later, once none is left."""


def _register(name: str, root: Path) -> None:
    for file, place, text in REGISTRATIONS:
        path = root / file
        before = path.read_text(encoding="utf-8")
        if file == ".importlinter":
            # A module whose work comes later stands in a contract of its own.
            before = before.replace(f"    apps.{name}\n", "")
        found = place.search(before)
        if found is None:
            raise Refused(f"{file} has no place where a module is registered: {place.pattern}")
        added = before[: found.start()] + text.format(name=name) + before[found.start() :]
        path.write_text(_LATER_FOR_NONE.sub("", added), encoding="utf-8")


def _lay_out(files: Sequence[Path], root: Path) -> None:
    """Let ruff lay the files out: a line that was short enough for one name may be too long for another."""
    ruff = Path(sys.executable).with_name("ruff")
    sources = [str(path) for path in files if path.suffix == ".py"]
    subprocess.run([str(ruff), "check", "--quiet", "--fix", "--select", "I", *sources], cwd=root, check=True)
    subprocess.run([str(ruff), "format", "--quiet", *sources], cwd=root, check=True)


def main(arguments: Sequence[str]) -> int:
    """Write the module that is named, and say what comes next."""
    if not 1 <= len(arguments) <= 2:  # noqa: PLR2004 - a name, and a title or none
        sys.stderr.write("Name the module: make module NAME=labels TITLE='Labels'\n")
        return 2
    name = arguments[0]
    title = arguments[1] if len(arguments) > 1 else name.replace("_", " ").capitalize()
    try:
        files = write_module(name, title)
        _lay_out(files, ROOT)
    except Refused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    for path in files:
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
    sys.stdout.write(NEXT_STEPS.format(name=name, title=title))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
