"""From flags and environment to settings, and from settings to places."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from mooring import local
from pydantic import ValidationError

from mooring_server.cli.console import ExitCode, Failure
from mooring_server.errors import Unavailable
from mooring_server.settings import Settings


def read_settings(**flags: Any) -> Settings:
    """The settings: a flag that was given (is not None) wins over its `MOORING_…` variable.

    Raises:
        Failure: a value is not acceptable; the message names the setting.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0]) if wrong["loc"] else "settings"
        raise Failure(
            f"the setting {name} (MOORING_{name.upper()}) is not acceptable: {wrong['msg']}", ExitCode.USAGE
        ) from None


def data_folder() -> Path:
    """This user's data folder, made where absent.

    Raises:
        Failure: others own it or may enter it, or it cannot be made.
    """
    try:
        return local.data_dir().absolute()
    except local.LocalServiceError as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(
            f"the data folder {error.filename} cannot be made: {error.strerror}; set MOORING_DATA_DIR"
        ) from None


def database_url(settings: Settings) -> str:
    """The database: the setting, else a SQLite file in the data folder."""
    return settings.database or sqlite_url(data_folder())


def sqlite_url(folder: Path) -> str:
    """The database that a data folder holds."""
    return f"sqlite:///{folder / 'mooring.db'}"


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for other databases."""
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Turns a database that does not answer into a sentence with the driver's reason.

    The service keeps that reason to its log; whoever runs these commands is its operator, and needs it.
    """
    try:
        yield
    except OSError as failure:
        reason = failure.strerror or "its file cannot be used"
        raise Failure(f"the database {public_url(url)} cannot be opened: {reason}") from None
    except Unavailable as failure:
        cause = failure.__cause__ or failure.__context__ or failure.message
        text = str(cause.strerror if isinstance(cause, OSError) else cause).strip()
        reason = text.splitlines()[0] if text else failure.message
        raise Failure(f"the database {public_url(url)} does not answer: {reason}") from None


def public_url(url: str) -> str:
    """The URL without its password, for terminals and logs."""
    parts = urlsplit(url)
    query = re.sub(r"(password=)[^&]*", r"\1…", parts.query)
    if parts.password is None and query == parts.query:
        return url
    netloc = parts.netloc.replace(f":{parts.password}@", ":…@", 1)
    return urlunsplit(parts._replace(netloc=netloc, query=query))
