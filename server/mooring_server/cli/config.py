"""From flags and environment to settings, and from settings to places."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from mooring import local
from pydantic import ValidationError

from mooring_server.cli.console import ExitCode, Failure
from mooring_server.settings import Settings

DATABASE_FILE = "mooring.db"


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


def data_folder(settings: Settings) -> Path:
    """The folder that holds this user's data: the setting, else the platform's own place."""
    return Path(settings.data_dir) if settings.data_dir is not None else local.data_dir()


def database_url(settings: Settings) -> str:
    """The database: the setting, else a SQLite file in the data folder."""
    return settings.database or sqlite_url(data_folder(settings))


def sqlite_url(folder: Path) -> str:
    """The database that a data folder holds."""
    return f"sqlite:///{folder / DATABASE_FILE}"


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for other databases."""
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None


def public_url(url: str) -> str:
    """The URL without its password, for terminals and logs."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":…@", 1)))
