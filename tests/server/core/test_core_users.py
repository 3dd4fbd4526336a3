"""Rules of users and their contexts that only show over a real database."""

from mooring_server.core import users
from mooring_server.core.policy import Caller
from support_store import ENGAGEMENT, USER, Database, begin


def test_of_racing_opens_of_one_notebook_one_makes_its_context(database: Database):
    """A kernel and a browser may open it in the same moment: all get the same context."""
    database.write(begin)
    database.write(lambda tx: tx.users.set_default_engagement(USER, ENGAGEMENT))
    opened = database.together(
        *(lambda tx: users.open_context(tx, Caller(USER), "", "notebook-1") for _ in range(8))
    )
    assert len({context.id for context, _ in opened}) == 1
    assert [created for _, created in opened].count(True) == 1
