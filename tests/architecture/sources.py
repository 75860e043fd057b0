"""The project's own Python files, read and parsed once for all rules about how they are written."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One file, real or planted."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return _parse(self.text)

    @property
    def nodes(self) -> list[ast.AST]:
        return _walk(self.text)

    @property
    def names(self) -> Iterator[tuple[str, ast.AST]]:
        """Everything that is called by name, as far as it is dotted: ``os.environ.get`` gives ``os.environ.get``, ``os.environ``, ``os``."""
        for node in self.nodes:
            if isinstance(node, ast.Attribute | ast.Name):
                dotted = _dotted(node)
                if dotted is not None:
                    yield dotted, node

    @property
    def imports(self) -> Iterator[tuple[str, ast.AST]]:
        """Everything that is imported, with its whole name: ``from a import b`` gives ``a.b``."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((alias.name, node) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)

    @property
    def texts(self) -> Iterator[tuple[str, ast.AST]]:
        """Every text that is no docstring and no free-standing remark."""
        remarks = {
            id(node.value) for node in self.nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in self.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in remarks:
                yield node.value, node

    def at(self, node: ast.AST, what: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 0)}: {what}"


@cache
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def _walk(text: str) -> list[ast.AST]:
    return list(ast.walk(_parse(text)))


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        front = _dotted(node.value)
        return None if front is None else f"{front}.{node.attr}"
    return None


@lru_cache(maxsize=1)
def read_all() -> list[Source]:
    """Read what is delivered: ``bitvault``, ``apps``, ``benchmarks``, ``manage.py``; migrations are written by Django."""
    paths = [ROOT / "manage.py"]
    for room in ("bitvault", "apps", "benchmarks"):
        paths += sorted((ROOT / room).rglob("*.py"))
    return [
        Source(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths if "migrations" not in path.parts
    ]
