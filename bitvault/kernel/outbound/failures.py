"""What can be wrong with a request to a machine elsewhere."""

from typing import Literal

Failure = Literal[
    "",
    "answer",
    "address_refused",
    "address_unknown",
    "connection",
    "timeout",
    "certificate",
    "protocol",
    "secret_unreadable",
]
"""What was wrong with a try; ``answer``: the status was none of 200 to 299; ``secret_unreadable``: what it needs was sealed with another
key, and nothing was sent."""
