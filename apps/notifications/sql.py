"""The statement of notifications that the ORM cannot say: rows from rows, where the larger of two numbers stays."""

# Two pages of one person may mark at once: the mark never goes back.
MARK_READ = """
INSERT INTO notifications_read_mark (user_id, entry_id, read_seq)
SELECT %(user_id)s, id, last_seq FROM notifications_entry WHERE id = ANY(%(ids)s::uuid[]) AND head_id IS NULL
ON CONFLICT (user_id, entry_id) DO UPDATE SET read_seq = greatest(notifications_read_mark.read_seq, excluded.read_seq)
"""
