"""The door of the event backbone.

``publish`` is no ordinary door: it runs inside the caller's transaction on purpose, for an event is part of the change it tells of.
"""

from bitvault.events.outbox import open_stream, publish

__all__ = ["open_stream", "publish"]
