"""What every table is made of."""

from typing import Any

from peewee import SQL, Model, TextField, fn

# For peewee's databases. PostgreSQL would sort by the locale of its cluster; SQLite sorts by bytes anyway.
SQLITE_TYPES = {"BINARY_TEXT": "TEXT"}
POSTGRESQL_TYPES = {"BINARY_TEXT": 'TEXT COLLATE "C"'}


class Text(TextField):
    """A text that sorts and compares by its bytes."""

    field_type = "BINARY_TEXT"


class Table(Model):
    """The base of every table."""


# An index holds so much of a long text: PostgreSQL refuses entries of more than a third of a page.
INDEXED_LENGTH = 64


def indexed_part(text: Any) -> Any:
    """As much of a text as its index holds; in these very words, or no planner sees that it is that index."""
    return fn.SUBSTR(text, SQL("1"), SQL(str(INDEXED_LENGTH)))
