"""The part of a workspace that is about sessions themselves: listing, making, changing, putting away."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from mooring_widgets.client import Comparison, Engagements, Session, Sessions, Shortcuts
from mooring_widgets.queries import Table
from mooring_widgets.workspace.helpful import Helpful

if TYPE_CHECKING:
    from mooring_widgets.workspace.workspace import Workspace


class SessionMethods(Helpful):
    """What is done to sessions. In all of it a `session` is a display name or id in the current engagement, a
    full name, or a snapshot."""

    _ws: "Workspace"

    def sessions(
        self,
        search: str = "",
        *,
        filter: str = "",
        order_by: str = "",
        archived: bool = False,
        deleted: bool = False,
        limit: int | None = 100,
    ) -> Sessions:
        """The sessions of the current engagement, by display name; read from the service each time.

        >>> ws.sessions()
        Name      Id        Assets  Type         State    Last activity (UTC)
        Baseline  baseline  5       data import  default
        Wave 1    wave-1    3       data import
        Wave 2    wave-2    0       data import
        >>> [session.display_name for session in ws.sessions("wave", filter="asset_count > 0")]
        ['Wave 1']

        Args:
            search: Words; names and descriptions are searched for words that begin so.
            filter: AIP-160, as in `docs/filtering.md`.
            order_by: `display_name`, `create_time` or `last_activity_time`; ` desc` after it turns it round.
            archived: Archived ones too.
            deleted: Deleted ones too.
            limit: How many at most; None for all. `total` of the answer counts them all.

        Raises:
            InvalidArgument: For a wrong filter or order.
        """
        return self._ws.wait(
            self._ws.work.sessions(search, filter, order_by, archived, deleted, limit),
        )

    def engagements(
        self, search: str = "", *, filter: str = "", archived: bool = False, limit: int | None = 100
    ) -> Engagements:
        """Your engagements, by display name; the arguments are those of `sessions`.

        >>> ws.engagements()
        Name      Id        Sessions  State
        Contoso   contoso   3
        Fabrikam  fabrikam  1
        """
        return self._ws.wait(self._ws.work.engagements(search, filter, archived, limit))

    def compare(
        self,
        session: str | Session,
        other: str | Session | None = None,
        *,
        table: Table = "assets",
        kinds: Collection[str] = (),
        filter: str = "",
        limit: int | None = 100,
    ) -> Comparison:
        """Holds two sessions of the current engagement against each other; read from the service each time.

        >>> found = ws.compare("Baseline", "Wave 1")
        >>> found
        Baseline → Wave 1
                      Added  Removed  Changed  Unchanged
        assets        0      2        0        3
        dependencies  ...
        >>> found.to_pandas().difference.tolist()
        ['removed', 'removed']

        Args:
            session: The one. Given alone, the current session is held against it.
            other: The other one, which what was added is in.
            table: `assets` or `dependencies`: what `differences` lists. The counts are of both.
            kinds: Which differences it lists: some of `added`, `removed`, `changed` and `unchanged`; without
                any, all but the last.
            filter: AIP-160, as in `docs/filtering.md`, of an asset as the session has it, and of what was
                added as the other one does.
            limit: How many it lists at most; None for all.

        Raises:
            NotFound: For a session that is not there.
            InvalidArgument: For a wrong filter, kind or table, and for sessions of two engagements.
        """
        return self._ws.wait(self._ws.work.compare(session, other, table, kinds, filter, limit))

    def create(
        self,
        display_name: str,
        *,
        source_session: str | Session | None = None,
        description: str | None = None,
        type: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Session:
        """Makes a session in the current engagement, blank or as a clone; the current one stays where it is.

        Lists show it at once; where the service refuses it, they show it no more.

        >>> new = ws.create("What if", source_session=ws.session, description="Two racks less")
        >>> new.display_name, new.parent_session == ws.session.name, new.asset_count
        ('What if', True, 5)

        Args:
            display_name: 1 to 200 characters, unique in the engagement.
            source_session: The session of this engagement whose data it begins with, whatever the size: both
                share it until one of them is changed. It is its `parent_session`, and its description, type
                and labels are taken over where none are given. Blank without one.
            description: Up to 2,000 characters.
            type: `data_import` (the default), `validation_run`, `incremental_update`, `comparison_analysis`
                or `cleanup_operation`.
            labels: Up to 64 of them.

        Raises:
            AlreadyExists: Where the engagement has a session of that name.
            InvalidArgument: For a field that is wrong, and a source of another engagement.
        """
        return self._ws.wait(
            self._ws.work.create(
                display_name, source=source_session, description=description, type_=type, labels=labels
            )
        )

    def update(
        self,
        session: str | Session,
        *,
        display_name: str | None = None,
        description: str | None = None,
        type: str | None = None,
        labels: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> Session:
        """Changes the fields of a session that are given; every list shows it at once.

        >>> ws.update("Wave 1", description="Web servers", labels={"team": "blue"}).labels
        {'team': 'blue'}

        Args:
            session: Which.
            display_name: What people read.
            description: Up to 2,000 characters.
            type: As in `create`.
            labels: All of its labels from now on.
            etag: That of the snapshot on which the change is based, where it must not overwrite another's.

        Raises:
            AlreadyExists: Where the engagement has a session of that name.
            Conflict: Where `etag` is given and the session has changed meanwhile.
            FailedPrecondition: Where it is archived.
            TypeError: Where nothing is to be changed.
        """
        return self._ws.wait(
            self._ws.work.update(
                session,
                display_name=display_name,
                description=description,
                type_=type,
                labels=labels,
                etag=etag,
            )
        )

    def rename(self, session: str | Session, display_name: str) -> Session:
        """Gives a session another name; see `update`.

        >>> ws.rename("Wave 1", "First wave").display_name
        'First wave'
        """
        return self.update(session, display_name=display_name)

    def archive(self, session: str | Session) -> Session:
        """Puts a session away: it can be read and switched to, and not be changed.

        >>> _ = ws.archive("Wave 2")
        >>> len(ws.sessions()), len(ws.sessions(archived=True))
        (2, 3)
        >>> _ = ws.unarchive("Wave 2")

        Raises:
            FailedPrecondition: For the default session.
        """
        return self._ws.wait(self._ws.work.archive(session))

    def unarchive(self, session: str | Session) -> Session:
        """Takes an archived session up again."""
        return self._ws.wait(self._ws.work.unarchive(session))

    def delete(self, session: str | Session) -> Session:
        """Deletes a session; `undelete` brings it back, with its data.

        >>> _ = ws.delete("Wave 2")
        >>> [session.display_name for session in ws.sessions()]
        ['Baseline', 'Wave 1']
        >>> ws.undelete("Wave 2").display_name
        'Wave 2'

        Raises:
            FailedPrecondition: For the default session.
        """
        return self._ws.wait(self._ws.work.delete(session))

    def undelete(self, session: str | Session) -> Session:
        """Brings a deleted session back, with its data.

        Raises:
            AlreadyExists: Where another has its display name by now.
            NotFound: Where no such session was deleted; `near` has names like it.
        """
        return self._ws.wait(self._ws.work.undelete(session))

    def set_default(self, session: str | Session) -> Session:
        """Makes a session the default of its engagement, where notebooks without a place of their own begin.

        >>> ws.set_default("Wave 1").is_default
        True

        Raises:
            FailedPrecondition: For an archived session.
            PermissionDenied: For who is no manager of the engagement.
        """
        return self._ws.wait(self._ws.work.set_default(session))

    def pin(self, session: str | Session) -> Session:
        """Puts a session on top of your own lists of this engagement, in all your notebooks; at most 20.

        >>> _ = ws.pin("Wave 2")
        >>> [session.display_name for session in ws.shortcuts().pinned]
        ['Wave 2']
        >>> _ = ws.unpin("Wave 2")

        Raises:
            FailedPrecondition: TOO_MANY_PINS.
        """
        return self._ws.wait(self._ws.work.pin(session))

    def unpin(self, session: str | Session) -> Session:
        """Takes a pin away; again is no mistake."""
        return self._ws.wait(self._ws.work.unpin(session))

    def shortcuts(self) -> Shortcuts:
        """Your pinned sessions of this engagement, and those that you switched to last, the newest first.

        >>> _ = ws.switch("Wave 1")
        >>> ws.shortcuts().recent[0].display_name
        'Wave 1'
        """
        return self._ws.wait(self._ws.work.shortcuts())
