"""Structured logs: one event a line, JSON for machines or coloured text for people; control characters are always encoded."""

import logging.config
from typing import Any

import structlog


def _leave_out_path(_logger: Any, _method: str, facts: Any) -> Any:
    """Take the path of a request out of Django's own lines: it may hold names, and that of a public link is a secret."""
    path = getattr(getattr(facts.get("_record"), "request", None), "path", None)
    if path and path != "/":
        facts["event"] = str(facts["event"]).replace(path, "(path)")
    return facts


def configure(*, output: str, level: str) -> None:
    """Send structlog and the standard library's loggers through one formatter to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Plain tracebacks: one that shows local variables shows passwords and signed URLs.
    last: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if output == "json"
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [_leave_out_path, *shared],
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
                }
            },
            "handlers": {"standard": {"class": "logging.StreamHandler", "formatter": "structured"}},
            "root": {"handlers": ["standard"], "level": level},
            "loggers": {
                # A request that was refused has its own line; Django's would hold the path, and a path may hold names.
                "django.request": {"level": "ERROR"},
                # The scheduler sends every second: a line for each message would bury all others.
                "celery.beat": {"level": "WARNING"},
                "celery.worker.strategy": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
                "botocore": {"level": "WARNING"},
                "urllib3": {"level": "WARNING"},
                # It would hold what people look for; what fails is told by search itself.
                "opensearch": {"level": "CRITICAL"},
                # Its errors quote what was asked for; what fails is told by billing itself.
                "stripe": {"level": "CRITICAL"},
            },
        }
    )
