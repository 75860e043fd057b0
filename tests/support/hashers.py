"""A password hasher that costs nothing, for tests that sign in often."""

from apps.identity.hashing import BoundedArgon2PasswordHasher


class CheapArgon2PasswordHasher(BoundedArgon2PasswordHasher):
    time_cost = 1
    memory_cost = 8
    parallelism = 1
