"""What all measurements share: the vault, how long to measure, and the machine's own rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from benchmarks import load
from benchmarks.physical import Machine
from benchmarks.seed import Seed
from benchmarks.vault import Vault


@dataclass
class Bench:
    """One run of the benchmarks."""

    vault: Vault
    quick: bool
    crowd: int = load.CROWD
    nodes: int | None = None
    """How many nodes are searched, where it is not the measurement's own number."""

    @property
    def seconds(self) -> float:
        """How long one run of a load takes: several checkpoints of noise, and several runs still fit a coffee."""
        return 2.0 if self.quick else 6.0

    @property
    def runs(self) -> int:
        return 1 if self.quick else 3

    @cached_property
    def machine(self) -> Machine:
        return Machine(self.vault, seconds=self.seconds / 2, crowd=self.crowd)

    @cached_property
    def seed(self) -> Seed:
        return Seed(self.vault)

    def measure(self, steps: Sequence[load.Step]) -> load.Rate:
        return load.measure(self.vault, steps, seconds=self.seconds, runs=self.runs)
