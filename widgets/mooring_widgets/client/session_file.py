"""The file that a session moves in, as a notebook shows it."""

from dataclasses import dataclass
from pathlib import Path

from mooring.session_files import BrokenOff, file_name, summary

from mooring_widgets.client.markup import counted
from mooring_widgets.errors import Internal


@dataclass(frozen=True, slots=True, repr=False)
class SessionFile:
    """An exported session. It can be given wherever a path can: to `open`, to `import_session`.

    Attributes:
        path: Where it is.
        display_name: What the session was called.
        asset_count: How many assets it has.
        dependency_count: How many dependencies.
        size_bytes: Of the file.
        content_digest: The same for the same data, whatever the ids.
    """

    path: Path
    display_name: str
    asset_count: int
    dependency_count: int
    size_bytes: int
    content_digest: str

    @staticmethod
    def name_of(display_name: str) -> str:
        """What the file of a session is called."""
        return file_name(display_name)

    @classmethod
    def of(cls, path: Path) -> "SessionFile":
        """What a file that has just come says of itself. Reads it.

        Raises:
            Internal: Where it is not whole.
        """
        try:
            said = summary(path)
        except BrokenOff as broken:
            raise Internal(str(broken)) from None
        return cls(
            path,
            said.display_name,
            said.asset_count,
            said.dependency_count,
            path.stat().st_size,
            said.content_digest,
        )

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        held = f"{counted(self.asset_count, 'asset')}, {counted(self.dependency_count, 'dependency')}"
        return f"{self.display_name}: {held}, {counted(self.size_bytes, 'byte')} in {self.path}"
