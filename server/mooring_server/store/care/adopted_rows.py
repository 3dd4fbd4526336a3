"""Our rows, as an adoption of the old shape makes them, until they are inserted together."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from peewee import Database, __exception_wrapper__  # type: ignore[attr-defined]  # not in its stubs

from mooring_server.store import tables
from mooring_server.store.records import Role
from mooring_server.store.statements import Statement, param
from mooring_server.store.values import searched_text, sort_key

NewRow = dict[str, Any]


class AdoptedRows:
    """The rows of a database that nobody has used yet: each is its resource's first version."""

    def __init__(self) -> None:
        self.users: dict[str, NewRow] = {}
        self.engagements: dict[str, NewRow] = {}
        self.roles: dict[str, dict[str, Role]] = defaultdict(dict)
        self.sessions: dict[str, dict[str, NewRow]] = defaultdict(dict)
        self.contexts: list[NewRow] = []

    def add_user(self, id: str, subject: str, display_name: str, email: str, created: int) -> None:
        """A user without a default engagement."""
        self.users[id] = {
            "id": id,
            "subject": subject,
            "display_name": display_name,
            "email": email,
            "default_engagement_id": None,
            **_first(created),
            "revision": 0,
        }

    def add_engagement(self, id: str, display_name: str, description: str, created: int) -> None:
        """An engagement without members and sessions."""
        self.engagements[id] = {
            "id": id,
            "display_name": display_name,
            "description": description,
            "session_count": 0,
            **_first(created),
            "revision": 0,
            "sort_name": sort_key(display_name),
            "archive_time": None,
            "words": searched_text((display_name,)),
        }

    def add_session(
        self,
        engagement_id: str,
        id: str,
        display_name: str,
        type: str,
        creator_id: str,
        created: int,
        updated: int,
        *,
        deleted: bool = False,
        archived: bool = False,
    ) -> None:
        """A session without data."""
        self.sessions[engagement_id][id] = {
            "engagement_id": engagement_id,
            "id": id,
            "display_name": display_name,
            "description": "",
            "type": type,
            "is_default": False,
            "creator_id": creator_id,
            "data_version_id": None,
            "asset_count": 0,
            **_first(created),
            "update_time": updated,
            "delete_time": updated if deleted else None,
            "sort_name": sort_key(display_name),
            "labels": "{}",
            "parent_id": None,
            "dependency_count": 0,
            "last_activity_time": updated,
            "archive_time": updated if archived else None,
            "words": searched_text((display_name, "")),
            "data_revision": 0,
        }
        self.engagements[engagement_id]["session_count"] += not deleted

    def add_context(self, user_id: str, id: str, engagement_id: str, session_id: str, created: int) -> None:
        """A user's place."""
        self.contexts.append(
            {
                "user_id": user_id,
                "id": id,
                "engagement_id": engagement_id,
                "session_id": session_id,
                "revision": 1,
                "create_time": created,
                "update_time": created,
                "kernel_key": "",
                "notebook_key": "",
                "use_time": created,
            }
        )

    def insert(self, database: Database) -> dict[str, int]:
        """Inserts all; how many rows each table got."""
        members = [
            {
                "engagement_id": engagement_id,
                "user_id": user_id,
                "role": int(role),
                **_first(self.engagements[engagement_id]["create_time"]),
            }
            for engagement_id, roles in self.roles.items()
            for user_id, role in roles.items()
        ]
        sessions = [row for of_engagement in self.sessions.values() for row in of_engagement.values()]
        return {
            str(table._meta.table_name): _insert(database, table, rows)
            for table, rows in (
                (tables.Users, list(self.users.values())),
                (tables.Engagements, list(self.engagements.values())),
                (tables.Members, members),
                (tables.Sessions, sessions),
                (tables.Contexts, self.contexts),
            )
        }


def _first(created: int) -> NewRow:
    return {"etag": 1, "create_time": created, "update_time": created}


def _insert(database: Database, table: type[tables.Table], rows: list[NewRow]) -> int:
    statement = Statement(table.insert({field: param(field.name) for field in table._meta.sorted_fields}))
    bound = [statement.bind(database, row) for row in rows]
    if bound:
        with __exception_wrapper__:
            database.cursor().executemany(bound[0][0], [arguments for _, arguments in bound])
    return len(rows)
