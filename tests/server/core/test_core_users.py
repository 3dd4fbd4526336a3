"""Rules of users and their contexts that only show over a real database."""

from mooring_server.core import users
from mooring_server.core.names import DEFAULT_CONTEXT
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


def test_of_racing_first_switches_all_count(database: Database):
    """Who has no default context yet gets one, however many switch at once; each switch moves it by one."""
    database.write(begin)

    def switch(tx):
        baseline = tx.sessions.get(ENGAGEMENT, "baseline")
        return users.switch(tx, Caller(USER), DEFAULT_CONTEXT, baseline, None)

    moved = database.together(*(switch for _ in range(8)))
    assert sorted(context.revision for _, context in moved) == list(range(2, 10))


def test_opening_switching_and_deleting_do_not_hinder_each_other(database: Database):
    """One notebook may do all of it at once: each call is answered, or told that the context is gone."""
    database.write(begin)
    database.write(lambda tx: tx.users.set_default_engagement(USER, ENGAGEMENT))
    context, _ = database.write(lambda tx: users.open_context(tx, Caller(USER), "kernel", ""))

    def switch(tx):
        baseline = tx.sessions.get(ENGAGEMENT, "baseline")
        return users.switch(tx, Caller(USER), context.id, baseline, None)

    calls = [
        call
        for _ in range(4)
        for call in (lambda tx: users.open_context(tx, Caller(USER), "kernel", ""), switch)
    ]
    outcomes = database.together(
        *calls[:6], lambda tx: users.delete_context(tx, USER, context.id), *calls[6:]
    )
    refused = [each for each in outcomes if isinstance(each, Exception)]
    assert {getattr(each, "reason", each) for each in refused} <= {"CONTEXT_NOT_FOUND"}
    kept = database.read(lambda tx: tx.contexts.page(USER, None, 0, 10)).items
    assert len(kept) <= 1
    assert context.id not in {each.id for each in kept}
