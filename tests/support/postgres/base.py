"""The database backend of tests that are rolled back: BitVault's own, which takes a savepoint for a transaction.

What PostgreSQL offers for whole transactions alone (COMMIT with the last statement, a level of isolation, read only, settings that end with
the transaction) is left out or undone there. Tests marked ``committed`` have no transaction around them, and meet the backend as it is.
"""

from bitvault.kernel.postgres import base

DatabaseError = base.DatabaseError
IntegrityError = base.IntegrityError


class DatabaseWrapper(base.DatabaseWrapper):
    has_entered_schema = False

    @property
    def is_rolled_back(self) -> bool:
        """Whether the open transaction is a test's own: nothing in it is ever committed."""
        return bool(self.atomic_blocks) and self.atomic_blocks[0]._from_testcase

    def enter_schema(self, schema, *, read_only, locks):
        self.has_entered_schema = self.is_rolled_back
        super().enter_schema(schema, read_only=read_only and not self.is_rolled_back, locks=locks)

    def freeze(self):
        if not self.is_rolled_back:
            super().freeze()

    def commit_with_next(self):
        if not self.is_rolled_back:
            super().commit_with_next()

    def _savepoint_commit(self, sid):
        if self.has_entered_schema and self.atomic_blocks[-1]._from_testcase:
            # What was set for the transaction would last until the test's own ends.
            self.has_entered_schema = False
            with self.cursor() as cursor:
                cursor.execute("SELECT set_config('role', 'none', true), set_config('search_path', 'public', true)")
        super()._savepoint_commit(sid)
