"""What all rules stand on: a vault, its model, and ways to choose among what there is.

Numbers choose, so that a failing run shrinks to few steps with small numbers.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from bitvault.kernel import tenancy
from tests.room import telling
from tests.room.model import Node, Vault

T = TypeVar("T")

CONTENTS = {"nothing": b"", "a": b"a" * 100, "b": b"b" * 100, "c": b"c" * 250, "d": b"d" * 400}
"""Few, so that contents meet: the same one in several files, and an edit back to what a file had before."""

NAMES = st.sampled_from(sorted(CONTENTS))
NUMBERS = st.integers(min_value=0, max_value=11)


class Acting(RuleBasedStateMachine):
    """A vault of two members with roots of their own, and of team folders."""

    begin: ClassVar[Callable[[], AbstractContextManager[Any]]]
    """Opens a vault in which nothing has happened; gives clients by name, the owner as an actor, and their browser."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.api, self.olga, self.browser = self.stack.enter_context(type(self).begin())
        self.stack.enter_context(tenancy.entered(self.olga.tenant))
        self.vault = Vault()
        self.count = 0
        self.is_sound = False
        """Whether the last step has left everything as the model says."""

    def teardown(self) -> None:
        with self.stack:
            if self.is_sound:
                telling.compare_requests(self.vault, self.api("olga"), self.browser)

    def name(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def one(self, number: int, among: Sequence[T]) -> T:
        return among[number % len(among)]

    def folder(self, number: int) -> Node:
        return self.one(number, self.vault.live(folders=True))

    def file(self, number: int) -> Node:
        return self.one(number, self.vault.live(folders=False))

    def who(self, *node_ids: str | None) -> str | None:
        """Tell who may act in all of these; nobody in two persons' roots."""
        owners = {self.vault.owners[self.vault.top(node_id).id] for node_id in node_ids if node_id is not None}
        people = owners - {"olga"}
        return None if len(people) > 1 else next(iter(people), "olga")

    def has_files(self) -> bool:
        return bool(self.vault.live(folders=False))

    def is_charged(self, nodes: Sequence[Node]) -> bool:
        """Whether nothing of these waits for its charge: what goes before it is charged is left to the nightly recount."""
        waiting = {one.made for one in self.vault.pending.values() if one.made is not None}
        return waiting.isdisjoint(self.vault.versions(nodes))
