"""The connection to OpenSearch: one client of a process, with deadlines and a circuit breaker."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import structlog
from django.conf import settings
from opensearchpy import OpenSearch
from opensearchpy.exceptions import OpenSearchException, RequestError

from bitvault.kernel import db
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import ServiceDown

NAME = "opensearch"
SEARCH_SECONDS = 3.0
"""How long a search may take: names are looked for in PostgreSQL after it."""

RETRY_AFTER_SECONDS = 2

logger = structlog.get_logger(__name__)

_opensearch = Dependency(NAME, share=3, queue_seconds=0.5, queue_length=3)
_opensearch_of_jobs = Dependency(f"{NAME} of jobs", share=4, rest_seconds=30)
"""Jobs wait longer for an answer, and in a lane with others: while there is none, they do so now and then."""


@contextmanager
def asked() -> Iterator[OpenSearch]:
    """Lend the client for one question of a request.

    :raises ServiceDown: it does not answer, or not as it should.
    :raises Overloaded: as many requests as may ask it do so already.
    """
    with _opensearch.held(), _connected() as client:
        yield client


@contextmanager
def lent() -> Iterator[OpenSearch]:
    """Lend the client to a job, which is tried again by itself.

    :raises ServiceDown: it does not answer, or not as it should.
    """
    with _opensearch_of_jobs.held(), _connected() as client:
        yield client


@contextmanager
def _connected() -> Iterator[OpenSearch]:
    db.forbid_transaction("a question to OpenSearch")
    try:
        yield _connect(settings.BITVAULT_OPENSEARCH["url"], settings.BITVAULT_OPENSEARCH["ca_file"])
    except RequestError:
        raise  # a question that we have written wrongly
    except OpenSearchException as error:
        logger.warning("opensearch_failed", error=type(error).__name__, status=getattr(error, "status_code", None))
        raise ServiceDown(dependency=NAME, retry_after_seconds=RETRY_AFTER_SECONDS) from error


def is_down() -> bool:
    """Whether requests are refused at once because it did not answer those before."""
    return _opensearch.is_down


def reset() -> None:
    """Forget past failures and the connection."""
    _opensearch.reset()
    _opensearch_of_jobs.reset()
    _connect.cache_clear()


@lru_cache(maxsize=1)
def _connect(url: str, ca_file: str) -> OpenSearch:
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    return OpenSearch(
        hosts=[{"host": parts.hostname, "port": parts.port or (443 if is_secure else 9200)}],
        http_auth=(unquote(parts.username), unquote(parts.password or "")) if parts.username else None,
        use_ssl=is_secure,
        verify_certs=is_secure,
        ca_certs=ca_file or None,
        timeout=SEARCH_SECONDS,
        max_retries=0,
        http_compress=True,
        pool_maxsize=8,
    )
