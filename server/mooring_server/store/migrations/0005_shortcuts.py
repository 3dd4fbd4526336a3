"""A user's pinned sessions, and those that they were at last; indexes that tell alone which are listed."""

from peewee import SQL, BigIntegerField, CompositeKey, Database, Model
from playhouse.migrate import SchemaMigrator

from mooring_server.store.tables import Text

_KEY = ("user_id", "engagement_id", "session_id")
_INDEXES = (
    *(
        (f"sessions_by_{name}", f'"engagement_id", "{column}", "id", "archive_time", "delete_time"', "")
        for name, column in (
            ("name", "sort_name"),
            ("create_time", "create_time"),
            ("activity", "last_activity_time"),
        )
    ),
    (
        "sessions_of_archive_time",
        '"engagement_id", "archive_time", "delete_time"',
        ' WHERE ("archive_time" IS NOT NULL)',
    ),
)


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Makes both tables; where users were last is in the log of their switches, as far as that is kept."""
    for name, columns, condition in _INDEXES:
        db.execute_sql(f'DROP INDEX "{name}"')
        db.execute_sql(f'CREATE INDEX "{name}" ON "sessions" ({columns}){condition}')
    _make_tables(db)
    db.execute_sql(
        "INSERT INTO session_visits (user_id, engagement_id, session_id, visit_time)"
        " SELECT u.id, c.engagement_id, c.session_id, MAX(c.commit_time) FROM changes c"
        " JOIN users u ON c.stream = 'users/' || u.id"
        " JOIN sessions s ON s.engagement_id = c.engagement_id AND s.id = c.session_id"
        " WHERE c.kind = 'switched' GROUP BY u.id, c.engagement_id, c.session_id"
    )


def _make_tables(db: Database) -> None:
    class Table(Model):
        class Meta:
            database = db

    class SessionVisits(Table):
        user_id = Text()
        engagement_id = Text()
        session_id = Text()
        visit_time = BigIntegerField()

        class Meta:
            table_name = "session_visits"
            primary_key = CompositeKey(*_KEY)
            constraints = (
                SQL("FOREIGN KEY (user_id) REFERENCES users (id)"),
                SQL("FOREIGN KEY (engagement_id, session_id) REFERENCES sessions (engagement_id, id)"),
            )

    SessionVisits.add_index(
        SessionVisits.user_id,
        SessionVisits.engagement_id,
        SessionVisits.visit_time,
        SessionVisits.session_id,
        name="session_visits_by_time",
    )

    class SessionPins(Table):
        user_id = Text()
        engagement_id = Text()
        session_id = Text()
        pin_time = BigIntegerField()

        class Meta:
            table_name = "session_pins"
            primary_key = CompositeKey(*_KEY)
            constraints = (
                SQL("FOREIGN KEY (user_id) REFERENCES users (id)"),
                SQL("FOREIGN KEY (engagement_id, session_id) REFERENCES sessions (engagement_id, id)"),
            )

    for table in (SessionVisits, SessionPins):
        table.create_table()
