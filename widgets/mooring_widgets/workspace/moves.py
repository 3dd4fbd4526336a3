"""The part of a workspace that is about sessions that move: each as one file."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from mooring_widgets.client import Engagement, Progress, Session, SessionFile
from mooring_widgets.workspace.helpful import Helpful
from mooring_widgets.workspace.moving import Incoming, StrPath
from mooring_widgets.workspace.progress import wait_with_progress

if TYPE_CHECKING:
    from mooring_widgets.workspace.workspace import Workspace


class MoveMethods(Helpful):
    """Out of one service, into another one or back into the same."""

    _ws: "Workspace"

    def export_session(
        self,
        path: StrPath | None = None,
        session: str | Session | None = None,
        *,
        overwrite: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> SessionFile:
        """Writes the current session or another to one file, with all its assets and dependencies.

        All of it is of one state of the data. The file is there when it is whole; interrupting it, or a
        failure, leaves what was there before.

        >>> ws.export_session(session="Wave 1")
        Wave 1: 3 assets, 0 dependencies, ... bytes in ...Wave 1.mooring.zip

        Args:
            path: The file, or a folder that gets `<display name>.mooring.zip`; by default the current folder.
            session: As in `switch`; by default the current one.
            overwrite: Replace a file that is there.
            on_progress: Called with every step on the calling thread; by default a line is printed.

        Raises:
            FileExistsError: Where there is such a file, unless `overwrite`.
            NotFound: For a session that is not there; `near` has names like it.
            OSError: Where the file cannot be written.
        """
        self._ws.refuse_on_loop()
        return wait_with_progress(
            lambda tell: self._ws.run(self._ws.work.export_session(path, session, overwrite, tell)),
            on_progress,
        )

    def import_session(
        self,
        path: StrPath,
        display_name: str | None = None,
        *,
        session_id: str | None = None,
        keep_ids: bool = False,
        engagement: str | Engagement | None = None,
        switch: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Session:
        """Makes a new session of an exported one, all or nothing; interrupting it cancels it.

        A file that was damaged or altered since its export is refused.

        >>> exported = ws.export_session(session="Wave 1")
        >>> ws.import_session(exported).display_name
        'Wave 1 (2)'
        >>> ws.import_session(exported, "Moved here", engagement="Fabrikam", switch=True).asset_count
        3

        Args:
            path: The file, or what `export_session` answered.
            display_name: What the session is called; by default as the exported one, with a number where that
                is taken.
            session_id: Its id, such as `wave-1`; by default a new one.
            keep_ids: Take over the file's ids: of assets and dependencies, and of the session where
                `session_id` is not given. Else all of them get new ones.
            engagement: The one that gets it, as in `switch_engagement`; by default the current one.
            switch: Make it the current session then.
            on_progress: Called with every step on the calling thread; by default a line is printed.

        Raises:
            InvalidArgument: UNREADABLE_SESSION, for a file that is no exported session, or was altered.
            AlreadyExists: ID_TAKEN, DISPLAY_NAME_TAKEN, for an id or a name that is given and taken.
            NotFound: For an engagement that is not there; `near` has names like it.
            OSError: Where the file cannot be read.
        """
        wanted = Incoming(path, display_name, session_id, keep_ids, engagement, switch)
        self._ws.refuse_on_loop()
        return wait_with_progress(lambda tell: self._ws.run(wanted.import_(self._ws, tell)), on_progress)
