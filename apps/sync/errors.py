"""What sync refuses, and why."""

from bitvault.kernel.errors import Conflict, Gone, InProgress, Invalid, NotFound, Unauthenticated, Unavailable


class CursorExpired(Gone):
    """The journal does not reach back to the cursor, or was made anew since; a fresh snapshot leads on."""

    code = "sync.cursor_expired"
    title = "This cursor is too old; take a snapshot"


class DeviceEnded(NotFound):
    """The device was ended, or there never was one; its cursors and snapshots went with it."""

    code = "sync.device_ended"
    title = "There is no such device any more"


class TooManyDevices(Conflict):
    """The person has as many devices as one may have; fact: ``limit``."""

    code = "sync.too_many_devices"
    title = "End a device first; you have as many as one may have"


class InvalidDevice(Invalid):
    """A device needs a name and a platform that can be shown."""

    code = "sync.invalid_device"
    title = "A device has a name and a platform of 1 to 100 printable characters"


class ConflictResolved(Conflict):
    """The conflict was settled before."""

    code = "sync.conflict_resolved"
    title = "This conflict was settled before"


class InvalidTicket(Unauthenticated):
    """The ticket was used, is too old, or never was one."""

    code = "sync.invalid_ticket"
    title = "This ticket opens no socket"


class SnapshotBeingMade(InProgress):
    """The tree is large, and a job writes it down; fact: ``job_id``. Not an error: 202, the device asks again for the same."""

    code = "sync.snapshot_being_made"
    title = "The snapshot is being made; ask again in a moment"


class SnapshotFailed(Unavailable):
    """The job that was to write a large tree down has failed; facts: ``job_id``, ``retry_after_seconds``."""

    code = "sync.snapshot_failed"
    title = "The snapshot could not be made"
