"""The sweep, over a real database: what has outlived its setting goes, and nothing else."""

from datetime import timedelta

from mooring_server.background import Cleanup
from mooring_server.store import ChangeKind, OperationState, utc_now
from mooring_server.store.records import TokenScope
from support_imports import STREAM, Gate, find, queue, row, run, shown
from support_store import ENGAGEMENT, USER, asset, publish


def test_the_sweep_removes_what_has_outlived_its_setting(database):
    """Versions that nothing shows, uploads, stored answers and long streams are trimmed; the rest stays."""
    settings = database.settings.model_copy(update={"changes_keep": 2})
    first = database.write(lambda tx: publish(tx, *(asset(number) for number in range(12))))
    second = database.write(lambda tx: publish(tx, asset(1), base_id=first))
    operation = queue(database)
    upload_id = operation.arguments["upload_id"]
    database.write(lambda tx: tx.requests.put(USER, "rpc", "id", "hash", b"answer"))
    sweep = Cleanup(database.store, settings).sweep

    def kept(tx):
        return (
            tx.versions.get(first) is not None,
            tx.uploads.get(upload_id) is not None,
            tx.requests.get(USER, "rpc", "id") is not None,
        )

    database.run(sweep())
    assert database.read(kept) == (True, True, True)
    database.clock.advance(25 * 3600)
    database.run(sweep())
    assert database.read(kept) == (True, False, False)
    database.clock.advance(database.settings.version_keep_s)
    database.run(sweep())
    assert database.read(kept) == (False, False, False)
    assert shown(database)[1] == second
    head = database.read(lambda tx: tx.changes.head(STREAM))
    assert database.read(lambda tx: tx.changes.earliest(STREAM)) == head - 1
    assert database.store.check() == []


def test_the_sweep_removes_tokens_that_ended_long_ago(database):
    """An expired token is listed for a while and then forgotten; a living one stays."""
    for id, days in (("short", 1), ("long", 90)):
        database.write(
            lambda tx, id=id, days=days: tx.tokens.insert(
                USER, id, id, id, TokenScope.WRITE, tx.now + timedelta(days=days)
            )
        )

    def listed():
        return {token.id for token in database.read(lambda tx: tx.tokens.page(USER, limit=9)).items}

    sweep = Cleanup(database.store, database.settings).sweep
    database.clock.advance(30 * 24 * 3600)
    database.run(sweep())
    assert listed() == {"short", "long"}
    database.clock.advance(2 * 24 * 3600)
    database.run(sweep())
    assert listed() == {"long"}


def test_the_sweep_removes_an_upload_whole(database):
    """However many pieces it has: what is due goes at once, not a part with each sweep."""
    operation = queue(database)
    upload_id = operation.arguments["upload_id"]

    def add(tx):
        for index in range(1, 40):
            tx.uploads.add_chunk(upload_id, index, b"x")

    database.write(add)
    database.clock.advance(25 * 3600)
    database.run(Cleanup(database.store, database.settings).sweep())
    assert database.read(lambda tx: tx.uploads.expired(tx.now, 10)) == []


def test_the_sweep_forgets_operations_that_ended_long_ago(database, monkeypatch):
    """A report can be read for `operation_keep_s`; what still waits is kept however old it is."""
    Gate([row(1)]).install(monkeypatch.setattr).open()
    ended_one = run(database, queue(database))
    waiting = queue(database)
    sweep = Cleanup(database.store, database.settings).sweep
    # Ids carry the real time, which the test's clock has to pass.
    database.clock.now = utc_now()
    database.run(sweep())
    assert database.run(find(database, ended_one)) is not None
    database.clock.advance(database.settings.operation_keep_s + 1)
    database.run(sweep())
    assert database.run(find(database, ended_one)) is None
    assert database.run(find(database, waiting)).state is OperationState.QUEUED


def test_the_sweep_forgets_old_visits(database):
    """Those beyond the newest fifty of a user in an engagement."""

    def visit(tx):
        for number in range(60):
            tx.sessions.insert(ENGAGEMENT, f"s-{number:02}", f"S {number}", "", "data_import", USER)
            tx.shortcuts.visit(USER, ENGAGEMENT, f"s-{number:02}")

    database.write(visit)
    database.clock.advance(1)
    database.write(lambda tx: tx.shortcuts.visit(USER, ENGAGEMENT, "s-00"))
    database.run(Cleanup(database.store, database.settings).sweep())
    kept = database.read(lambda tx: tx.shortcuts.recent(USER, ENGAGEMENT, 100))
    assert [session.id for session in kept] == ["s-00", *(f"s-{number:02}" for number in range(59, 10, -1))]


def test_the_sweep_removes_idle_contexts(database):
    """Those that nobody has used for `context_keep_s`, and the user's stream tells it; `default` stays."""
    settings = database.settings
    sweep = Cleanup(database.store, settings).sweep
    for id in ("default", "old", "new"):
        database.write(lambda tx, id=id: tx.contexts.insert(USER, id, ENGAGEMENT, "baseline"))
    database.clock.advance(settings.context_keep_s)
    database.run(sweep())
    database.write(lambda tx: tx.contexts.use(USER, "new"))
    database.clock.advance(1)
    database.run(sweep())
    kept = database.read(lambda tx: tx.contexts.page(USER, None, 0, 10)).items
    assert {context.id for context in kept} == {"default", "new"}
    stream = f"users/{USER}"
    head = database.read(lambda tx: tx.changes.head(stream))
    (change,) = database.read(lambda tx: tx.changes.after(stream, head - 1, 10))
    assert (change.kind, change.resource) == (ChangeKind.DELETED, f"{stream}/contexts/old")
