"""What ``make bench`` runs: BitVault on a stack of its own, measured beside the machine's own rates in the same run."""
