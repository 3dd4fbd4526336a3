"""Backups and restores, on every database and between them."""

import hashlib
import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from mooring_server.errors import AlreadyExists, InvalidArgument, MooringError
from mooring_server.settings import Settings
from mooring_server.store import Manifest, Order, Tx, back_up, migrate, restore
from mooring_server.store.care import restoring
from mooring_server.store.lists.conditions import Word
from mooring_server.store.lists.paging import Window
from mooring_server.store.migrating import connection, known_migrations
from mooring_server.store.records import OperationState, TokenScope
from support_store import ENGAGEMENT, START, USER, Database, asset, begin, dependency, publish, session

_SETTINGS = Settings()


def fill(database: Database) -> None:
    """Something in every table."""

    def make(tx: Tx):
        begin(tx)
        tx.users.set_default_engagement(USER, ENGAGEMENT)
        version_id = publish(
            tx,
            asset(0, hostname="höst", attributes={"Größe": "x\ny\u2028"}),
            asset(1, cpu_cores=0.1, networks=("a", "ß"), technology="nginx", source="file", implied=True),
        )
        made_by_hand = dependency(0, 0, 1, port=443, attributes={"Größe": "x\ny\u2028"})
        tx.edits.create_dependency(tx.edits.begin(ENGAGEMENT, "baseline"), made_by_hand)
        tx.imports.insert(
            id="op-0",
            engagement_id=ENGAGEMENT,
            session_id="baseline",
            user_id=USER,
            file_name="a.csv",
            sha256="the hash",
            size_bytes=2**40,
            options={"kind": "table"},
            options_hash="another",
            report={"created": 2},
            details={"rejected": [{"reason": "größer"}]},
            base_id="swept",  # kept no longer, which is no fault
            base_revision=3,
            version_id=version_id,
            revision=0,
        )
        tx.tokens.insert(USER, "token-1", "the hash", "Laptop", TokenScope.READ, START + timedelta(days=9))
        tx.contexts.insert(USER, "default", ENGAGEMENT, "baseline")
        tx.shortcuts.visit(USER, ENGAGEMENT, "baseline")
        tx.shortcuts.pin(USER, ENGAGEMENT, "baseline")
        tx.uploads.insert("upload-1", ENGAGEMENT, "baseline", USER, "a.csv")
        tx.uploads.add_chunk("upload-1", 0, bytes(range(256)))
        for number in range(2):
            tx.operations.insert(f"op-{number}", ENGAGEMENT, "baseline", USER, "import", {"a": 1})
        tx.operations.claim("op-0", "a host")
        tx.requests.put(USER, "rpc", "request-1", "a hash", b"an answer")
        tx.landscapes.put(version_id, 1, '{"total":2}')

    database.write(make)
    database.write(session("wave-1", "Harbour one"))
    database.write(lambda tx: tx.sessions.update(ENGAGEMENT, "wave-1", None, labels={"env": "prod"}))
    database.write(session("wave-2"))
    database.write(lambda tx: tx.sessions.delete(ENGAGEMENT, "wave-2", None))


def backed_up(url: str) -> tuple[io.BytesIO, Manifest]:
    """A backup in memory."""
    file = io.BytesIO()
    return file, back_up(url, file, lambda _what, _done, _total: None)


def restored(url: str, file: io.BytesIO, *, replace: bool = False) -> None:
    """Restores it."""
    restore(url, file, _SETTINGS, lambda _what, _done, _total: None, replace=replace)


def found(database: Database, word: str) -> list[str]:
    """The sessions that a search finds."""
    window = Window(10, 0, None)
    page = database.read(lambda tx: tx.sessions.page(ENGAGEMENT, Order.DISPLAY_NAME, window, Word(word)))
    return [one.id for one in page.items]


def found_assets(database: Database, word: str) -> list[str]:
    """The assets of the default session that a search finds."""

    def look(tx: Tx):
        version = tx.sessions.get(ENGAGEMENT, "baseline").data_version_id
        return tx.assets.page(version, Order.DISPLAY_NAME, Window(10, 0, None), Word(word))

    return [one.id for one in database.read(look).items]


def data_of(tx: Tx) -> tuple[Any, ...]:
    """All that is known of the default session's data."""
    version = tx.versions.get(tx.sessions.get(ENGAGEMENT, "baseline").data_version_id)
    window = Window(10, 0, None)
    return (
        version,
        tx.assets.page(version.id, Order.DISPLAY_NAME, window).items,
        tx.dependencies.page(version.id, Order.CREATE_TIME, window).items,
        tx.imports.get(ENGAGEMENT, "baseline", "op-0"),
        tx.landscapes.get(version.id, version.revision),
        tx.shortcuts.recent(USER, ENGAGEMENT, 10),
        tx.shortcuts.pinned(USER, ENGAGEMENT, 10),
    )


def test_everything_comes_back(new_database: Callable[[], str]):
    """Every row, counter and revision is as it was; search finds what it did; each goes its own way."""
    with Database(new_database()) as first:
        fill(first)
        file, manifest = backed_up(first.url)
        incarnation, key = first.store.incarnation, first.store.signing_key
        data = first.read(data_of)
        assert None not in data
        assert all(data)
    url = new_database()
    restored(url, file)
    assert backed_up(url)[1].tables.keys() == manifest.tables.keys()
    with Database(url) as second:
        assert second.store.check() == []
        assert (second.store.incarnation == incarnation, second.store.signing_key == key) == (False, False)
        assert second.read(data_of) == data
        assert found(second, "harb") == ["wave-1"]
        assert found_assets(second, "host") == ["asset-000000"]
        assert second.read(lambda tx: tx.uploads.chunk("upload-1", 0)) == bytes(range(256))
        assert second.read(lambda tx: tx.requests.get(USER, "rpc", "request-1")) is None
        second.write(session("wave-3", "Harbour three"))
        assert found(second, "harb") == ["wave-1", "wave-3"]
        assert second.store.check() == []


@pytest.mark.postgresql
def test_a_team_moves_to_postgresql_and_back(postgresql_server: str, tmp_path: Path):
    """The same file restores on both; on the way round nothing has changed but who ran."""
    import psycopg

    with psycopg.connect(postgresql_server, autocommit=True) as opened:
        opened.execute("CREATE SCHEMA moved")
    urls = [
        f"sqlite:///{tmp_path}/a.db", f"{postgresql_server}&options=-csearch_path%3Dmoved", f"sqlite:///{tmp_path}/b.db"
    ]  # fmt: skip
    with Database(urls[0]) as first:
        fill(first)
        first.write(lambda tx: tx.operations.update("op-0", state=OperationState.CANCELLED, error={}))
    manifests = []
    for here, there in pairwise(urls):
        file, manifest = backed_up(here)
        manifests.append(manifest)
        restored(there, file)
    manifests.append(backed_up(urls[2])[1])
    assert manifests[0].tables == manifests[1].tables == manifests[2].tables
    assert len({manifest.incarnation for manifest in manifests}) == 3
    with Database(urls[1]) as moved:
        assert moved.store.check() == []
        assert found(moved, "harb") == ["wave-1"]


def test_what_ran_was_interrupted(new_database: Callable[[], str]):
    """An operation that ran when the backup was made has failed; one that waited waits."""
    with Database(new_database()) as first:
        fill(first)
        file, _ = backed_up(first.url)
    url = new_database()
    restored(url, file)
    with Database(url) as second:
        ran, waited = (
            second.read(lambda tx, id=id: tx.operations.get(ENGAGEMENT, "baseline", id))
            for id in ("op-0", "op-1")
        )
    assert (ran.state, ran.error["reason"], ran.host) == (OperationState.FAILED, "OPERATION_INTERRUPTED", "")
    assert waited.state is OperationState.QUEUED


def test_secrets_stay(database: Database):
    """The signing key is not in a backup, the hash of a token is."""
    fill(database)
    file, _ = backed_up(database.url)
    with zipfile.ZipFile(file) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert database.store.signing_key.hex().encode() not in content
    assert b"an answer" not in content
    assert b"the hash" in content


@contextmanager
def busy(database: Database) -> Iterator[None]:
    """A writer that makes sessions and moves the default, whatever happens to the database under it."""
    done, working = threading.Event(), threading.Event()

    def write() -> None:
        for number in count(1):
            if done.is_set():
                return
            id = f"s-{number}"
            with suppress(MooringError):  # a restore takes what was there
                database.write(session(id))
                database.write(lambda tx, id=id: tx.sessions.set_default(ENGAGEMENT, id, None))
            if number == 5:
                working.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert working.wait(30)
        yield
    finally:
        done.set()
        writer.join()


def test_a_backup_is_one_state_of_a_busy_database(new_database: Callable[[], str]):
    """Writers go on meanwhile, and what is restored is sound."""
    with Database(new_database()) as database:
        database.write(begin)
        with busy(database):
            files = [backed_up(database.url) for _ in range(3)]
    assert files[-1][1].rows > files[0][1].rows
    url = new_database()
    for file, _ in files:
        restored(url, file, replace=True)
        with Database(url) as restored_database:
            assert restored_database.store.check() == []


def test_a_busy_database_is_restored(database: Database):
    """Writers wait, then write the restored state; nothing of the state before is left in it."""
    database.write(begin)
    file, _ = backed_up(database.url)
    database.write(session("before"))
    with busy(database):
        for _ in range(3):
            restored(database.url, file, replace=True)
    assert database.store.check() == []
    assert database.read(lambda tx: tx.sessions.get(ENGAGEMENT, "before")) is None


def test_a_running_server_takes_a_restore_up(database: Database):
    """Who has the database open notices, reads the new state and writes on; its signing key is the same."""
    fill(database)
    file, _ = backed_up(database.url)
    key, incarnation = database.store.signing_key, database.store.incarnation
    database.write(session("later", "Harbour later"))
    assert found(database, "harb") == ["later", "wave-1"]
    restored(database.url, file, replace=True)
    assert database.run(database.store.refresh()) is True
    assert database.store.incarnation != incarnation
    assert database.store.signing_key == key
    assert found(database, "harb") == ["wave-1"]
    assert database.read(lambda tx: tx.sessions.get(ENGAGEMENT, "later")) is None
    database.write(session("later"))
    assert database.store.check() == []
    with Database(database.url) as again:
        assert again.store.signing_key == key


def test_a_database_with_something_in_it_is_not_replaced_unasked(database: Database):
    """Nothing is lost by a forgotten option."""
    fill(database)
    file, before = backed_up(database.url)
    with pytest.raises(AlreadyExists, match="--replace"):
        restored(database.url, file)
    assert backed_up(database.url)[1].tables == before.tables


def test_a_failing_restore_changes_nothing(database: Database, monkeypatch: pytest.MonkeyPatch):
    """Whatever happens on the way, it is all or nothing."""
    fill(database)
    file, before = backed_up(database.url)
    database.write(session("later"))
    real = restoring._insert

    def fail(database, backup, table, on_progress):
        real(database, backup, table, on_progress)
        if table == "changes":
            raise OSError("the power is gone")

    monkeypatch.setattr(restoring, "_insert", fail)
    with pytest.raises(OSError, match="power"):
        restored(database.url, file, replace=True)
    after = backed_up(database.url)[1]
    assert after.incarnation == before.incarnation
    assert after.tables["sessions"].rows == before.tables["sessions"].rows + 1
    assert database.store.check() == []


def test_a_backup_of_an_older_schema(new_database: Callable[[], str]):
    """It is brought up to the newest on the way; a database can be backed up before it is migrated."""
    old, new = new_database(), new_database()
    migrate(old, _SETTINGS, target="0001_initial")
    with connection(old) as opened:
        for statement in (
            "INSERT INTO users VALUES ('ann', 'ann', 'Ann', '', 'home', 0, 1, 5, 5)",
            "INSERT INTO engagements VALUES ('home', 'Höme', '', 1, 0, 1, 5, 5)",
            "INSERT INTO members VALUES ('home', 'ann', 3)",
            "INSERT INTO sessions VALUES"
            " ('home', 's', 'Harbour', '', 'data_import', (1 = 1), 'ann', NULL, 0, 1, 5, 5, NULL)",
        ):
            opened.execute_sql(statement)
    file, manifest = backed_up(old)
    assert manifest.schema == "0001_initial"
    restored(new, file)
    assert backed_up(new)[1].schema == known_migrations()[-1]
    with Database(new) as database:
        assert database.store.check() == []
        assert database.read(lambda tx: tx.sessions.get("home", "s")).display_name == "Harbour"


def test_data_of_a_schema_without_dependencies(new_database: Callable[[], str]):
    """Of what nobody knew then nothing is known; landscapes, which said less, are computed anew."""
    old, new = new_database(), new_database()
    migrate(old, _SETTINGS, target="0003_search")
    with connection(old) as opened:
        for table, values in (
            ("users", {"id": "ann", "subject": "ann", "display_name": "Ann", "email": ""}),
            ("engagements", {"id": "e", "display_name": "E", "description": "", "session_count": 1}),
            ("members", {"engagement_id": "e", "user_id": "ann", "role": 3}),
            ("sessions", {"engagement_id": "e", "id": "s", "display_name": "S", "data_version_id": "v"}),
            ("data_versions", {"id": "v", "engagement_id": "e", "session_id": "s", "asset_count": 1}),
            (
                "assets",
                {"version_id": "v", "id": "a", "type": "server", "display_name": "Wéb", "cpu_cores": 0.5},
            ),
            ("landscapes", {"version_id": "v", "document": "{}"}),
        ):
            _insert(opened, table, values)
    restored(new, backed_up(old)[0])
    with Database(new) as database:
        database.run(database.store.repair())
        assert database.store.check() == []

        def look(tx: Tx) -> tuple[Any, ...]:
            version = tx.versions.get("v")
            (kept,) = tx.assets.page("v", Order.DISPLAY_NAME, Window(10, 0, None)).items
            return version.label, version.dependency_count, kept, tx.landscapes.get("v", 0)

        label, dependency_count, kept, landscape = database.read(look)
        assert (label, dependency_count, landscape) == ("v", 0, None)
        assert (kept.display_name, kept.cpu_cores, kept.networks, kept.implied) == ("Wéb", 0.5, (), False)


def test_visits_of_a_schema_without_them(new_database: Callable[[], str]):
    """Where users were last is taken from the log: each session once, by its last switch."""
    old, new = new_database(), new_database()
    migrate(old, _SETTINGS, target="0004_discovery")
    switches = (("a", 2), ("b", 3), ("a", 4), ("c", 1))
    with connection(old) as opened:
        head = {"revision": len(switches)}
        _insert(opened, "users", {"id": "ann", "subject": "ann", "display_name": "Ann", **head})
        _insert(opened, "engagements", {"id": "e", "display_name": "E", "session_count": 3})
        _insert(opened, "members", {"engagement_id": "e", "user_id": "ann", "role": 3})
        for id in "abc":
            known = {"engagement_id": "e", "id": id, "display_name": id, "is_default": id == "a"}
            _insert(opened, "sessions", known)
        for revision, (session_id, time) in enumerate(switches, 1):
            change = {"stream": "users/ann", "revision": revision, "kind": "switched", "detail": "{}"}
            change |= {"engagement_id": "e", "session_id": session_id, "commit_time": time}
            _insert(opened, "changes", change)
    restored(new, backed_up(old)[0])
    with Database(new) as database:
        visited = database.read(lambda tx: tx.shortcuts.recent("ann", "e", 10))
        assert [one.id for one in visited] == ["a", "b", "c"]


def _insert(database: Any, table: str, values: dict[str, Any]) -> None:
    """Inserts a row of an older schema; what is not said is empty, 0, or true of what a row may be."""
    documents = {"labels": "{}", "attributes": "{}", "ip_addresses": "[]"}
    blank = {"TEXT": "", "BOOLEAN": True}
    filled = {
        column.name: blank.get(column.data_type.upper(), 0)
        for column in database.get_columns(table)
        if not column.null
    }
    filled |= {name: document for name, document in documents.items() if name in filled} | values
    names, places = ", ".join(filled), ", ".join([database.param] * len(filled))
    database.execute_sql(f"INSERT INTO {table} ({names}) VALUES ({places})", tuple(filled.values()))  # noqa: S608 - names of ours


def _rewritten(file: io.BytesIO, change: Callable[[str, bytes], bytes | None]) -> io.BytesIO:
    """The backup with each member changed, or left out for None."""
    made = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(made, "w") as target:
        for name in source.namelist():
            if (content := change(name, source.read(name))) is not None:
                target.writestr(name, content)
    return made


def _manifest(edit: Callable[[dict], object]) -> Callable[[io.BytesIO], io.BytesIO]:
    def change(name: str, content: bytes) -> bytes:
        if name != "manifest.json":
            return content
        manifest = json.loads(content)
        edit(manifest)
        return json.dumps(manifest).encode()

    return lambda file: _rewritten(file, change)


def _flipped(file: io.BytesIO) -> io.BytesIO:
    content = bytearray(file.getvalue())
    with zipfile.ZipFile(file) as archive:
        member = archive.getinfo("tables/sessions.jsonl")
    content[member.header_offset + 60 + member.compress_size // 2] ^= 0x01
    return io.BytesIO(content)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="null"),
        pytest.param(2**70, id="too large"),
        pytest.param("\ud800", id="half a character"),
    ],
)
def test_rows_that_do_not_fit_change_nothing(database: Database, value: object):
    """A backup with the right hashes and impossible values is refused as one that is not sound."""
    fill(database)
    file, before = backed_up(database.url)
    with zipfile.ZipFile(file) as archive:
        lines = archive.read("tables/users.jsonl").splitlines()
    place = before.tables["users"].columns.index("revision" if isinstance(value, int) else "display_name")
    row = json.loads(lines[0])
    row[place] = value
    content = b"".join(line + b"\n" for line in (json.dumps(row).encode(), *lines[1:]))
    digest = hashlib.sha256(content).hexdigest()
    named = _manifest(lambda manifest: manifest["tables"]["users"].update(sha256=digest))(file)
    forged = _rewritten(named, lambda name, old: content if "users" in name else old)
    with pytest.raises(InvalidArgument, match="does not take its users"):
        restored(database.url, forged, replace=True)
    assert backed_up(database.url)[1].tables == before.tables
    assert database.store.check() == []


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda file: io.BytesIO(b"no zip"), id="no zip"),
        pytest.param(lambda file: io.BytesIO(file.getvalue()[:-40]), id="cut off"),
        pytest.param(_flipped, id="a flipped bit"),
        pytest.param(
            lambda file: _rewritten(file, lambda name, content: content if "users" not in name else None),
            id="a table is missing",
        ),
        pytest.param(
            lambda file: _rewritten(file, lambda _, content: content.replace(b"Harbour", b"Barbour")),
            id="another name",
        ),
        pytest.param(
            lambda file: _rewritten(file, lambda name, content: content + b"[1]\n" * ("users" in name)),
            id="another row",
        ),
        pytest.param(
            lambda file: _rewritten(file, lambda name, content: None if "manifest" in name else content),
            id="no manifest",
        ),
        pytest.param(_manifest(lambda manifest: manifest.update(format=2)), id="a later format"),
        pytest.param(_manifest(lambda manifest: manifest.update(schema="9999_later")), id="a later schema"),
        pytest.param(_manifest(lambda manifest: manifest["tables"].pop("members")), id="a table unnamed"),
        pytest.param(
            _manifest(lambda manifest: manifest["tables"].update({'x"; DROP': manifest["tables"]["users"]})),
            id="a strange table",
        ),
        pytest.param(
            _manifest(lambda manifest: manifest["tables"]["users"]["columns"].reverse()), id="columns swapped"
        ),
        pytest.param(_manifest(lambda manifest: manifest.update(tables=[])), id="tables of another kind"),
    ],
)
def test_a_damaged_backup_changes_nothing(tmp_path: Path, damage: Callable[[io.BytesIO], io.BytesIO]):
    """The whole file is verified before anything is touched, and the message says that it is no good."""
    with Database(f"sqlite:///{tmp_path}/store.db") as database:
        fill(database)
        file, before = backed_up(database.url)
        with pytest.raises(InvalidArgument, match=re.compile("no sound backup")):
            restored(database.url, damage(file), replace=True)
        assert backed_up(database.url)[1].tables == before.tables
        assert database.store.check() == []
