"""Adopting a database of the old shape: its rows become ours, what is missing is filled in, and all is said.

docs/migration.md has the rules. Everything follows from the old rows alone, so that a second attempt makes
the same of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from peewee import Database

from mooring_server.store.care.adopted_rows import AdoptedRows, NewRow
from mooring_server.store.care.old_shape import (
    REPORT_TABLE,
    Row,
    key,
    named_id,
    new_ids,
    read_old,
    to_flag,
    to_line,
    to_moment,
    to_text,
    to_word,
)
from mooring_server.store.records import Role
from mooring_server.store.values import from_json, to_json

_NAME_MAX, _DESCRIPTION_MAX = 200, 2_000
_BASELINE, _CONTEXT = "Baseline", "default"
_CARETAKER = "old-database"
# Ids with a meaning of their own: `users/me`, the demo user and their engagement.
_RESERVED = ("me", "demo", _CARETAKER)
_TYPES = {
    "data_import": "data_import", "import": "data_import", "data": "data_import", "initial": "data_import",
    "validation_run": "validation_run", "validation": "validation_run",
    "incremental_update": "incremental_update", "incremental": "incremental_update",
    "update": "incremental_update",
    "comparison_analysis": "comparison_analysis", "comparison": "comparison_analysis",
    "analysis": "comparison_analysis",
    "cleanup_operation": "cleanup_operation", "cleanup": "cleanup_operation",
}  # fmt: skip
_ROLES = {
    "owner": Role.MANAGER, "admin": Role.MANAGER, "manager": Role.MANAGER, "lead": Role.MANAGER,
    "analyst": Role.ANALYST, "editor": Role.ANALYST, "member": Role.ANALYST, "contributor": Role.ANALYST,
    "viewer": Role.VIEWER, "reader": Role.VIEWER, "guest": Role.VIEWER,
}  # fmt: skip
_LIVING, _ARCHIVED, _DELETED = "active", "archived", "deleted"
_STATES = {
    "": _LIVING, "active": _LIVING, "open": _LIVING, "draft": _LIVING, "completed": _LIVING,
    "archived": _ARCHIVED, "closed": _ARCHIVED,
    "deleted": _DELETED, "removed": _DELETED,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Adoption:
    """What an adoption did: how many rows there were and are, and a sentence for each decision."""

    old_rows: Mapping[str, int]
    new_rows: Mapping[str, int]
    decisions: list[str]


def adopt(database: Database, now_us: int) -> None:
    """Fills our empty tables from the old ones that were put aside, and keeps the report beside those."""
    old = read_old(database)
    decisions: list[str] = []
    rows = _Rules(old, now_us, decisions.append).applied()
    adoption = Adoption(
        {table: len(old_rows) for table, old_rows in old.items()}, rows.insert(database), decisions
    )
    database.execute_sql(f"CREATE TABLE {REPORT_TABLE} (document TEXT NOT NULL)")
    database.execute_sql(
        f"INSERT INTO {REPORT_TABLE} (document) VALUES ({database.param})",  # noqa: S608 - a name of our own
        (to_json(asdict(adoption)),),
    )


def kept_report(database: Database) -> Adoption | None:
    """The report of an adoption; None where there was none, or its old tables were dropped."""
    if REPORT_TABLE not in database.get_tables():
        return None
    row = database.execute_sql(f"SELECT document FROM {REPORT_TABLE}").fetchone()  # noqa: S608 - the same
    return Adoption(**from_json(row[0]))


class _Rules:
    """From old rows to new ones, and a sentence to `say` for all that is not a plain copy."""

    def __init__(self, old: Mapping[str, list[Row]], now_us: int, say: Callable[[str], None]) -> None:
        self._old = old
        self._now = now_us
        self._say = say
        self._new = AdoptedRows()
        self._ids = {
            table: new_ids(table.removesuffix("s"), (key(row["id"]) for row in old[table]), _RESERVED)
            for table in ("users", "engagements", "sessions")
        }
        for table in self._ids:
            if nameless := len(old[table]) - sum(1 for _ in self._rows(table)):
                say(f"{nameless} rows of {table} were left behind: they have no id, or another's.")

    def applied(self) -> AdoptedRows:
        """The new rows. Only once."""
        self._users()
        self._engagements()
        self._members()
        self._sessions()
        for engagement_id in self._new.engagements:
            self._appoint_manager(engagement_id)
        self._defaults()
        self._places()
        return self._new

    def _users(self) -> None:
        rows = list(self._rows("users"))
        wanted = [_first_of(row["username"], row["email"], f"User {key(row['id'])}") for row in rows]
        for row, name, subject in zip(rows, wanted, _distinct(wanted), strict=True):
            if subject != row["username"]:
                self._say(f"User {key(row['id'])}, called {row['username']!r}, is known as {subject!r}.")
            self._new.add_user(
                self._ids["users"][key(row["id"])],
                subject,
                name,
                to_line(row["email"], _NAME_MAX),
                to_moment(row["created_at"], self._now),
            )

    def _engagements(self) -> None:
        for row in self._rows("engagements"):
            old_id = key(row["id"])
            name = _first_of(row["name"], f"Engagement {old_id}")
            if name != row["name"]:
                self._say(f"Engagement {old_id}, called {row['name']!r}, is called {name!r}.")
            description = to_text(row["description"], _DESCRIPTION_MAX)
            if description != (row["description"] or ""):
                self._say(f"The description of engagement {old_id} was cleaned or shortened.")
            self._new.add_engagement(
                self._ids["engagements"][old_id], name, description, to_moment(row["created_at"], self._now)
            )

    def _members(self) -> None:
        for row in self._old["engagement_members"]:
            engagement_id = self._known("engagements", row["engagement_id"])
            user_id = self._known("users", row["user_id"])
            what = f"The membership of user {key(row['user_id'])} in engagement {key(row['engagement_id'])}"
            if engagement_id is None or user_id is None:
                self._say(f"{what} was left behind: one of them is not there.")
                continue
            role = _ROLES.get(to_word(row["role"]))
            if role is None:
                role = Role.VIEWER
                self._say(f"{what} says the role {row['role']!r}: they are a viewer.")
            known = self._new.roles[engagement_id].get(user_id)
            if known is not None:
                role = max(known, role)
                self._say(f"{what} is there more than once: the highest role counts, {role.name.lower()}.")
            self._new.roles[engagement_id][user_id] = role
        for row in self._rows("engagements"):
            roles = self._new.roles[self._ids["engagements"][key(row["id"])]]
            creator_id = self._known("users", row["created_by"])
            if creator_id is not None and creator_id not in roles:
                roles[creator_id] = Role.MANAGER
                self._say(f"User {key(row['created_by'])} made engagement {key(row['id'])} and manages it.")

    def _appoint_manager(self, engagement_id: str) -> None:
        roles = self._new.roles[engagement_id]
        if Role.MANAGER not in roles.values():
            # Never a viewer, who may be the client's own, and never somebody from outside.
            analysts = (user_id for user_id, role in roles.items() if role is Role.ANALYST)
            chosen = next(analysts, None) or self._caretaker()
            roles[chosen] = Role.MANAGER
            self._say(f"Engagement {engagement_id} had no manager: {chosen} manages it.")

    def _caretaker(self) -> str:
        """The user who stands for those whom the old database does not have. Nobody signs in as them."""
        if _CARETAKER not in self._new.users:
            self._new.add_user(_CARETAKER, f"mooring:{_CARETAKER}", "Old database", "", self._now)
            self._say(f"A user {_CARETAKER} was made, for users whom the old database names and lacks.")
        return _CARETAKER

    def _sessions(self) -> None:
        of_engagement: dict[str, list[Row]] = defaultdict(list)
        for row in self._rows("sessions"):
            engagement_id = self._known("engagements", row["engagement_id"])
            if engagement_id is not None:
                of_engagement[engagement_id].append(row)
            else:
                self._say(f"Session {key(row['id'])} was left behind: its engagement is not there.")
        for engagement_id, rows in of_engagement.items():
            states = [self._mapped(_STATES, row, "status", _LIVING) for row in rows]
            names = [_first_of(row["name"], f"Session {key(row['id'])}") for row in rows]
            # The names of deleted ones are free.
            living = [index for index, state in enumerate(states) if state != _DELETED]
            for index, name in zip(living, _distinct([names[index] for index in living]), strict=True):
                names[index] = name
            for row, name, state in zip(rows, names, states, strict=True):
                self._session(engagement_id, row, name, state)

    def _session(self, engagement_id: str, row: Row, name: str, state: str) -> None:
        old_id = key(row["id"])
        if name != row["name"]:
            self._say(f"Session {old_id}, called {row['name']!r}, is called {name!r}.")
        creator_id = self._known("users", row["created_by"])
        if creator_id is None:
            creator_id = self._caretaker()
            self._say(f"Session {old_id} was made by nobody who is there: by {creator_id}.")
        created = to_moment(row["created_at"], self._new.engagements[engagement_id]["create_time"])
        self._new.add_session(
            engagement_id,
            self._ids["sessions"][old_id],
            name,
            self._mapped(_TYPES, row, "session_type", "data_import"),
            creator_id,
            created,
            max(created, to_moment(row["updated_at"], created)),
            deleted=state == _DELETED,
            archived=state == _ARCHIVED,
        )

    def _defaults(self) -> None:
        """One each: the one pointed at, else the newest with the flag, else the oldest, else a new one."""
        flagged = {
            self._known("sessions", row["id"]) for row in self._old["sessions"] if to_flag(row["is_default"])
        }
        pointers = {
            self._known("engagements", row["id"]): row["default_session_id"]
            for row in self._old["engagements"]
        }
        for engagement_id in self._new.engagements:
            sessions = self._new.sessions[engagement_id]
            # They come in the order of their times.
            usable = [id for id, one in sessions.items() if _is_usable(one)]
            marked = [id for id in usable if id in flagged]
            pointer = pointers.get(engagement_id)
            pointed = self._known("sessions", pointer)
            if pointed in usable:
                chosen, why = pointed, "the engagement points at it"
            elif marked:
                chosen, why = marked[-1], "it is the newest that is marked so"
            elif usable:
                chosen, why = usable[0], "it is the oldest, and none is marked"
            else:
                chosen, why = self._new_baseline(engagement_id), "it was made, since there was none to choose"
            sessions[chosen]["is_default"] = True
            if pointed != chosen or marked != [chosen]:
                self._say(f"Session {chosen} is the default of engagement {engagement_id}: {why}.")

    def _new_baseline(self, engagement_id: str) -> str:
        sessions = self._new.sessions[engagement_id]
        taken = [one["display_name"] for one in sessions.values() if one["delete_time"] is None]
        manager = next(id for id, role in self._new.roles[engagement_id].items() if role is Role.MANAGER)
        created = self._new.engagements[engagement_id]["create_time"]
        session_id = named_id("baseline", engagement_id)
        name = _distinct([*taken, _BASELINE])[-1]
        self._new.add_session(engagement_id, session_id, name, "data_import", manager, created, created)
        return session_id

    def _places(self) -> None:
        """A default engagement and a default context for each user."""
        current: dict[str | None, Row] = {}
        for row in self._old["user_current"]:
            if current.setdefault(self._known("users", row["user_id"]), row) is not row:
                self._say(f"User {key(row['user_id'])} is in more than one place: the first counts.")
        homes = defaultdict[str, list[str]](list)
        for engagement_id, roles in self._new.roles.items():
            for user_id in roles:
                homes[user_id].append(engagement_id)
        for user_id, user in list(self._new.users.items()):
            if user_id == _CARETAKER:
                continue
            place = current.get(user_id)
            home_id = self._known("engagements", place["engagement_id"]) if place else None
            if place and home_id not in homes[user_id]:
                home_id = None
                self._say(
                    f"User {user_id} is in engagement {key(place['engagement_id'])} without being a member:"
                    " that does not count."
                )
            if home_id is None:
                home_id = homes[user_id][0] if homes[user_id] else self._own_engagement(user_id, user)
                self._say(f"User {user_id} has {home_id} as their default engagement.")
            user["default_engagement_id"] = home_id
            self._new.add_context(
                user_id, _CONTEXT, home_id, self._place(user_id, home_id, place), user["create_time"]
            )

    def _place(self, user_id: str, engagement_id: str, place: Row | None) -> str:
        sessions = self._new.sessions[engagement_id]
        session_id = self._known("sessions", place["session_id"]) if place else None
        if session_id in sessions and sessions[session_id]["delete_time"] is None:
            return session_id
        default_id = next(id for id, one in sessions.items() if one["is_default"])
        if place and place["session_id"] is not None:
            self._say(
                f"User {user_id} is in session {key(place['session_id'])}, which is not in their engagement:"
                f" they are in its default {default_id}."
            )
        return default_id

    def _own_engagement(self, user_id: str, user: NewRow) -> str:
        engagement_id = named_id("own", user_id)
        name = to_line(f"Engagement of {user['display_name']}", _NAME_MAX)
        self._new.add_engagement(engagement_id, name, "", user["create_time"])
        self._new.roles[engagement_id][user_id] = Role.MANAGER
        self._new.sessions[engagement_id][self._new_baseline(engagement_id)]["is_default"] = True
        self._say(f"User {user_id} is a member of nothing: the engagement {name!r} was made for them.")
        return engagement_id

    def _rows(self, table: str) -> Iterator[Row]:
        """The rows with an id, each once."""
        seen: set[str] = set()
        for row in self._old[table]:
            id = key(row["id"])
            if id and id not in seen:
                seen.add(id)
                yield row

    def _known(self, table: str, old: Any) -> str | None:
        return self._ids[table].get(key(old))

    def _mapped(self, words: Mapping[str, str], row: Row, column: str, default: str) -> str:
        found = words.get(to_word(row[column]))
        if found is None:
            self._say(f"Session {key(row['id'])} says the {column} {row[column]!r}: {default}.")
        return found or default


def _first_of(*texts: Any) -> str:
    """The first that is not empty, as a name."""
    return next(filter(None, (to_line(text, _NAME_MAX) for text in texts)))


def _is_usable(session: NewRow) -> bool:
    return session["delete_time"] is None and session["archive_time"] is None


def _distinct(names: Iterable[str]) -> list[str]:
    """The names, the second of a kind with ` (2)` behind it and so on, where no other is called so."""
    names = list(names)
    taken, numbers, made, seen = set(names), defaultdict[str, int](lambda: 1), [], set[str]()
    for name in names:
        chosen = name
        while chosen in seen or (chosen != name and chosen in taken):
            numbers[name] += 1
            suffix = f" ({numbers[name]})"
            chosen = name[: _NAME_MAX - len(suffix)].rstrip() + suffix
        seen.add(chosen)
        made.append(chosen)
    return made
