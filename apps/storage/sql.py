"""Steps of an attempt and its blob, each one statement: two rows of two tables change as one fact, under the rows' own locks, so that a
process which dies leaves either all of it or nothing, and so that a batch of 500 costs as many round trips as one upload.
"""

FREEZE = """
WITH attempt AS (
    UPDATE storage_multipart_upload SET state = 'completing', blob_id = %(blob_id)s, part_hashes = %(part_hashes)s
    WHERE id = %(id)s AND state = 'started' AND expires_at > %(now)s
    RETURNING size_bytes, part_size_bytes, store_id
)
INSERT INTO storage_blob
    (id, key, size_bytes, content_hash, part_size_bytes, part_hashes, state, created_at, scan_state, store_id)
SELECT %(blob_id)s, %(key)s, size_bytes, %(content_hash)s, part_size_bytes, %(part_hashes)s, 'pending', %(now)s, %(scan_state)s,
    store_id
FROM attempt
RETURNING id
"""

# A blob that is still pending counts: a version names it, or Files had not told of it. From here on it is held by this attempt as well, so
# whatever becomes of the first one, its sweep leaves the bytes alone. The collector, about to condemn it, finds the row changed.
FREEZE_KNOWN = """
WITH known AS (
    SELECT id FROM storage_blob WHERE id = %(blob_id)s AND state IN ('pending', 'live') AND damaged_at IS NULL FOR NO KEY UPDATE
),
attempt AS (
    UPDATE storage_multipart_upload u SET state = 'completing', blob_id = known.id
    FROM known
    WHERE u.id = %(id)s AND u.state = 'started' AND u.expires_at > %(now)s AND u.known_blob_id = known.id
    RETURNING u.blob_id
),
promoted AS (
    UPDATE storage_blob b SET
        state = 'live', unreferenced_at = CASE WHEN b.unreferenced_at IS NULL THEN NULL ELSE %(now)s::timestamptz END
    FROM attempt WHERE b.id = attempt.blob_id AND (b.state = 'pending' OR b.unreferenced_at IS NOT NULL)
)
SELECT blob_id FROM attempt
"""

# What the attempt put into the store beside the blob is looked for once its URLs are dead; without such strays its row only waits to
# be forgotten. Bytes that no version was made of are strays themselves.
FINISH = """
WITH attempt AS (
    UPDATE storage_multipart_upload SET
        state = 'committed',
        part_hashes = '',
        has_strays = has_strays OR (NOT %(kept)s AND known_blob_id IS NULL),
        swept_at = CASE WHEN has_strays OR (NOT %(kept)s AND known_blob_id IS NULL) THEN NULL ELSE %(now)s::timestamptz END,
        sweep_at = CASE WHEN has_strays OR (NOT %(kept)s AND known_blob_id IS NULL) THEN %(soon)s::timestamptz ELSE %(late)s END
    WHERE id = %(id)s AND state <> 'committed' AND blob_id IS NOT NULL AND swept_at IS NULL
    RETURNING blob_id
), blob AS (
    UPDATE storage_blob b SET state = 'live'
    FROM attempt WHERE b.id = attempt.blob_id AND b.state = 'pending' AND %(kept)s
)
SELECT 1 FROM attempt
"""

FINISH_MANY = (
    FINISH.replace("WHERE id = %(id)s", "WHERE id = ANY(%(ids)s::uuid[])")
    .replace("RETURNING blob_id", "RETURNING id, blob_id")
    .replace("SELECT 1 FROM attempt", "SELECT id FROM attempt")
)

# Digests travel as text: arrays of bytes have no form that the server's kept statements take.
FREEZE_MANY = """
WITH given AS (
    SELECT id, blob_id, key, decode(content_hash, 'hex') AS content_hash, decode(part_hash, 'hex') AS part_hash
    FROM unnest(%(ids)s::uuid[], %(blob_ids)s::uuid[], %(keys)s::text[], %(content_hashes)s::text[], %(part_hashes)s::text[])
        AS g(id, blob_id, key, content_hash, part_hash)
),
attempt AS (
    UPDATE storage_multipart_upload u SET state = 'completing', blob_id = given.blob_id, part_hashes = given.part_hash
    FROM given WHERE u.id = given.id AND u.state = 'started' AND u.expires_at > %(now)s
    RETURNING u.id, u.size_bytes, u.part_size_bytes, u.store_id
)
INSERT INTO storage_blob
    (id, key, size_bytes, content_hash, part_size_bytes, part_hashes, state, created_at, scan_state, store_id)
SELECT given.blob_id, given.key, attempt.size_bytes, given.content_hash, attempt.part_size_bytes, given.part_hash, 'pending', %(now)s,
    %(scan_state)s, attempt.store_id
FROM attempt JOIN given ON given.id = attempt.id
RETURNING id
"""

# As of one upload (``completing``); the blobs are locked in the order of their ids.
FREEZE_KNOWN_MANY = """
WITH known AS (
    SELECT id FROM storage_blob
    WHERE id IN (SELECT known_blob_id FROM storage_multipart_upload WHERE id = ANY(%(ids)s::uuid[]))
        AND state IN ('pending', 'live') AND damaged_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
),
attempt AS (
    UPDATE storage_multipart_upload u SET state = 'completing', blob_id = known.id
    FROM known
    WHERE u.id = ANY(%(ids)s::uuid[]) AND u.state = 'started' AND u.expires_at > %(now)s AND u.known_blob_id = known.id
    RETURNING u.id, u.blob_id
),
promoted AS (
    UPDATE storage_blob b SET
        state = 'live', unreferenced_at = CASE WHEN b.unreferenced_at IS NULL THEN NULL ELSE %(now)s::timestamptz END
    WHERE b.id IN (SELECT blob_id FROM attempt) AND (b.state = 'pending' OR b.unreferenced_at IS NOT NULL)
)
SELECT id FROM attempt
"""

SWAP_REFERENCES = (
    "INSERT INTO storage_blob_reference (version_id, blob_id) SELECT version_id, blob_id FROM storage_rebuilt_reference"
)

# One walk through both tables, which the ORM would send as two.
CORRECT_REFERENCES = """
UPDATE storage_blob b SET
    unreferenced_at = CASE WHEN told.is_held THEN NULL ELSE %(now)s::timestamptz END, has_drifted = NOT told.is_held
FROM (
    SELECT id, EXISTS (SELECT FROM storage_blob_reference r WHERE r.blob_id = storage_blob.id) AS is_held
    FROM storage_blob WHERE state IN ('pending', 'live')
) told
WHERE b.id = told.id AND b.state IN ('pending', 'live') AND told.is_held = (b.unreferenced_at IS NOT NULL)
    AND (told.is_held OR b.created_at < %(before)s)
"""
