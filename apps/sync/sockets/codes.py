"""Why a socket closes, as the client sees it (private codes lie in 4000-4999; RFC 6455, 7.4.2)."""

from enum import IntEnum


class Close(IntEnum):
    """Close codes that the application sends; 1009 (frame too large), 1011 (no pong) and 1012 (restart) come from the server below."""

    FLOOD = 1008
    """The client talks too much on a socket that is there to listen."""
    UNAUTHENTICATED = 4401
    """The ticket was used or is too old, or the session, token or device has ended. Get a new one; do not repeat this one."""
    FORBIDDEN = 4403
    """The person is no member any more, or the tenant is suspended."""
    TOO_SLOW = 4408
    """The client did not read what was sent. It loses nothing: the cursor knows where it was."""
    TOO_MANY = 4429
    """The person holds as many sockets as anybody may. Try again in a minute."""
