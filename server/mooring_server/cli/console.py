"""How the commands speak: results on stdout, everything else on stderr, failures in one sentence."""

import sys
from enum import IntEnum

from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


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


def complain(message: str) -> None:
    """Write one line to stderr, as it is: messages may hold brackets that are no markup."""
    sys.stderr.write(f"mooring: {' '.join(message.split())}\n")
    sys.stderr.flush()
