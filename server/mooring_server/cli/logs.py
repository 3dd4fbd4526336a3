"""Structured logs on stderr: ours and those of the libraries, in one form."""

import logging
import sys

import structlog
from structlog.typing import Processor

from mooring_server.settings import Settings


def configure(settings: Settings, *, quiet: bool = False) -> None:
    """Send every log line to stderr: for people on a terminal, one JSON object a line elsewhere.

    `log_format` of `json` or `console` overrides that choice. A command that says itself what went wrong is
    `quiet`: it logs only where `log_level` is debug.
    """
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderers: list[Processor] = (
        # Plain tracebacks: rich ones show the values of variables, tokens among them.
        [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        # First, so that a line below the level costs nothing more.
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    hushed = quiet and settings.log_level != "debug"
    root.setLevel(logging.CRITICAL if hushed else settings.log_level.upper())
    # asyncio reports its selector and slow callbacks at debug level: noise, even for people who debug.
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    # peewee tells its statements at debug level with what callers sent in them.
    logging.getLogger("peewee").setLevel(max(logging.INFO, root.level))
