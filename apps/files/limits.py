"""The limits of a tree. They bound the cost of every way up and of every page, and fit what other systems can hold."""

from datetime import timedelta

DEPTH_LIMIT = 128
"""Levels below a root. A way up costs one index look-up per level, so this bounds every check of access."""

PATH_LIMIT_BYTES = 4096
"""Bytes of a full path in UTF-8, slashes included: Linux's PATH_MAX, so that every node can be synchronised there."""

CHILDREN_LIMIT = 100_000
"""Live nodes directly in one folder: more makes folders that no program opens with pleasure."""

TEAM_FOLDER_LIMIT = 100
"""Live team folders of a tenant: a device's cursor names every root that it knows and travels in an address (4 kB with this many)."""

FILE_LIMIT_BYTES = 5 * 1024**4
"""The largest object of S3 and of most stores like it."""

SETTLED_RETENTION = timedelta(days=30)
"""How long an upload without a version is remembered: longer than any upload stays open."""

RESTORE_BATCH = 20
"""Of them in one transaction: about 30 ms under the tree lock, so that others hardly wait."""

REKEY_BATCH = 500
"""Names whose keys are written in one transaction: about 50 ms, and each row is locked for less."""

PURGE_BATCH = 500
"""Nodes deleted in one transaction: about 20 ms under the tree lock, so that others hardly wait."""

PURGE_BATCHES_AT_ONCE = 4
"""Batches that a request does itself; a larger purge goes on in the background, so no request takes long."""

PURGE_SECONDS_AT_ONCE = 5.0
"""Time that a request takes for them, should the batches be slow."""

PURGE_POSTPONED = timedelta(hours=1)
"""How long a purge that has failed waits: long enough for whoever mends its cause."""

KEPT_POSTPONED = timedelta(days=1)
"""When something due that a hold or a rule keeps is looked at again: a vault on hold is not looked through each hour."""

POLICIES_LIMIT = 200
"""Holds and retention rules in force: each question asks all of them, some milliseconds for as many."""

RETENTION_BATCH = 100
"""Files that a retention rule puts into the trash in one transaction: some 50 ms under the tree lock."""

RETENTION_PAGE = 10_000
"""Files that are looked for at a time: what a worker holds in memory without notice."""

VERSIONS_PAGE = 200
"""Files whose older versions are looked at together: some 20,000 rows, where each has a hundred."""

VERSIONS_BATCH = 500
"""Older versions of one file that are deleted in one transaction, and named in one event."""

REKEY_SECONDS = 30.0
"""Time of one run for names whose keys are of an older version."""

EXPIRY_BATCH = 1000
"""Rows of the trash that are looked at in one transaction."""

COPY_AT_ONCE = 100
"""Nodes of a tree that a request copies, in one transaction: about 100 ms under the tree lock. A job copies larger ones."""

COPY_BATCH = 50
"""Nodes that a job copies in one transaction: half of that, so that others hardly wait."""

JUDGED_LIMIT = 20_000
"""Nodes of a tree that is moved or copied to where a folder has rules for files: each name is judged under the tree lock, some 100 ms."""

COPY_LIMIT = 10_000_000
"""Nodes that are counted of a tree that is to be copied."""

ARCHIVE_TOPS_LIMIT = 1000
"""Nodes that one archive is asked for by their ids: a page's selection. More lie in a folder that can be asked for."""

ARCHIVE_LIMIT_NODES = 100_000
"""Files and folders in one archive: what a worker lists in one statement and holds in memory, some 50 MB."""

ARCHIVE_LIMIT_BYTES = 100 * 1024**3
"""Bytes in one archive at most: what a worker writes within the time of the job at 15 MB/s. A flag gives less."""

LOCKS_OF_ONE_LIMIT = 500
"""Files that one person has locked at a time: more is no work on files but a right on a folder."""

LOCKS_LIMIT = 10_000
"""Locked files of a tenant: whether one lies below a folder is found by the ways up from all of them, some 20 ms for as many."""
