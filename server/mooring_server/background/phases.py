"""What an import is doing, as its progress says."""

from enum import StrEnum


class Phase(StrEnum):
    """What an import is doing; the values are those of `mooring.v1.ImportPhase` in lower case."""

    READING = "reading"
    WRITING = "writing"
    PUBLISHING = "publishing"
    DONE = "done"
