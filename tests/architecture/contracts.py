"""Kinds of contract that import-linter does not bring along; ``.importlinter`` names them.

They hold by shape instead of by list: a module that is added tomorrow is bound by them without anybody having to name it.
"""

import sys
from collections.abc import Iterator

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class ImportsContract(Contract):
    """Base of contracts that judge each direct import by itself."""

    def find_breaches(self, graph: ImportGraph) -> Iterator[tuple[str, str]]:
        raise NotImplementedError

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        breaches = sorted(set(self.find_breaches(graph)))
        return ContractCheck(kept=not breaches, metadata={"breaches": breaches})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["breaches"]:
            output.print_error(f"- {importer} -> {imported}", bold=False)
        output.new_line()


class DoorsContract(ImportsContract):
    """Children of ``container`` (all, unless ``children`` names some) are imported from outside by their ``doors`` alone.

    With ``presentation`` the named layers of a child come in through its own doors as well.
    """

    container = fields.StringField()
    children = fields.SetField(subfield=fields.StringField(), required=False)
    doors = fields.SetField(subfield=fields.StringField())
    presentation = fields.SetField(subfield=fields.StringField(), required=False)

    def find_breaches(self, graph: ImportGraph) -> Iterator[tuple[str, str]]:
        for child in graph.find_children(self.container):
            if self.children and child.rpartition(".")[2] not in self.children:
                continue
            inside = {child} | graph.find_descendants(child)
            for imported in inside:
                if imported != child and imported.split(".")[2] in self.doors:
                    continue
                for importer in graph.find_modules_that_directly_import(imported):
                    if importer not in inside or self._comes_in_from_a_screen(importer, imported):
                        yield importer, imported

    def _comes_in_from_a_screen(self, importer: str, imported: str) -> bool:
        layers = self.presentation or ()
        layer = [*importer.split("."), ""][2]
        return layer in layers and [*imported.split("."), ""][2] != layer


class OnlyContract(ImportsContract):
    """``modules`` (and what lies below them) import nothing but ``allowed``, one another, and the standard library."""

    modules = fields.ListField(subfield=fields.StringField())
    allowed = fields.SetField(subfield=fields.StringField(), required=False)

    def find_breaches(self, graph: ImportGraph) -> Iterator[tuple[str, str]]:
        chosen = {name for pattern in self.modules for name in self._matching(graph, pattern)}
        allowed = set(self.allowed or ()) | chosen
        for importer in chosen:
            for imported in graph.find_modules_directly_imported_by(importer):
                words = imported.split(".")
                ways = {".".join(words[: n + 1]) for n in range(len(words))}
                if not ways & allowed and words[0] not in sys.stdlib_module_names:
                    yield importer, imported

    def _matching(self, graph: ImportGraph, pattern: str) -> Iterator[str]:
        """List the modules that a name with ``*`` for one word stands for, and all below them."""
        wanted = pattern.split(".")
        for name in graph.modules:
            words = name.split(".")
            if len(words) >= len(wanted) and all(
                want in ("*", word) for want, word in zip(wanted, words, strict=False)
            ):
                yield name
