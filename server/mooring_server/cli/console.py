"""How the commands speak: results on stdout, everything else on stderr, failures in one sentence."""

import sys
from enum import IntEnum
from unicodedata import category

from rich.console import Console

# Names of sessions and files are printed as they are: brackets are no markup, `:cat:` no picture.
out = Console(highlight=False, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, markup=False, emoji=False)


class ExitCode(IntEnum):
    """What a command's exit status means; README and `mooring --help` list the same."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    LOCKED = 75
    INTERRUPTED = 130


class Failure(Exception):
    """A command cannot do what was asked. The message is one sentence with the reason and what to do."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def say(text: str) -> None:
    """Write text and a line's end to stdout, at once."""
    sys.stdout.write(f"{harmless(text)}\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """Write one line to stderr, whatever the message holds."""
    remark(f"mooring: {message}")


def remark(message: str) -> None:
    """Write one line to stderr that is no failure: results alone go to stdout."""
    sys.stderr.write(f"{harmless(' '.join(message.split()))}\n")
    sys.stderr.flush()


def confirm(question: str, *, yes: bool) -> None:
    """Ask on a terminal, on stderr; elsewhere nobody can answer, and what was typed is meant.

    Raises:
        Failure: the answer was no.
    """
    if yes or not sys.stdin.isatty():
        return
    sys.stderr.write(f"{harmless(question)} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Failure("nothing was changed")


def harmless(text: str) -> str:
    """The text without control characters: a cell of somebody's inventory must not steer this terminal."""
    return "".join(char for char in text if char == "\n" or category(char) != "Cc")
