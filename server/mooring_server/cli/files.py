"""Files that commands write: whole, or not there at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from mooring_server.cli.console import ExitCode, Failure


@contextmanager
def new_file(file: Path, what: str, *, force: bool) -> Iterator[IO[bytes]]:
    """A file that has its name once it is whole. It is for its owner alone.

    Args:
        file: Where it goes.
        what: What it is, for messages: `backup`.
        force: Whether it may take the place of another.

    Raises:
        Failure: it is there already, or cannot be written.
    """
    _require_free(file, what, force=force)
    with writing(file, what):
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
        try:
            with open(descriptor, "w+b") as target:
                yield target
                target.flush()
                os.fsync(target.fileno())
            _require_free(file, what, force=force)
            os.replace(name, file)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name)


@contextmanager
def writing(file: Path, what: str) -> Iterator[None]:
    """Turns what the system says while a file is written into a sentence.

    Raises:
        Failure: it said something.
    """
    try:
        yield
    except OSError as error:
        raise Failure(f"the {what} {file} cannot be written: {error.strerror or error}") from None


def _require_free(file: Path, what: str, *, force: bool) -> None:
    if file.is_dir():
        raise Failure(f"{file} is a folder, and the {what} is a file", ExitCode.USAGE)
    if not force and os.path.lexists(file):
        raise Failure(f"{file} is there already; --force overwrites it")
