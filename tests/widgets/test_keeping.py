"""What a notebook keeps on disk, and what it shows while the service is away."""

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mooring_widgets.client import Context
from mooring_widgets.context import Place
from mooring_widgets.errors import OldData, PermissionDenied, Unauthenticated, Unavailable
from mooring_widgets.testing import FakeClient, FakeService, demo_assets, demo_service
from mooring_widgets.workspace import Workspace
from mooring_widgets.workspace.kept import Entry, Kept, KeptFile
from support_waiting import until
from support_widgets import shows
from support_workspace import BASELINE, CONTOSO, WAVE_1, WAVE_2

connecting = sys.modules["mooring_widgets.workspace.connect"]  # the package has the function by that name
PLACE = Place("a-kernel", "a-notebook")
Open = Callable[..., Workspace]


@pytest.fixture
def service() -> FakeService:
    return demo_service()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where caches are; nothing of this computer's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("MOORING_CACHE", raising=False)
    return tmp_path / "mooring" / "notebooks"


@pytest.fixture
def start(service: FakeService, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """`connect()` as a new kernel of the same notebook calls it."""
    opened: list[Workspace] = []
    monkeypatch.setattr(connecting, "find_place", lambda _: PLACE)
    monkeypatch.setattr(connecting, "MooringClient", lambda *_, **__: FakeClient(service))
    monkeypatch.setattr(FakeClient, "identity", property(id))

    def start(**options: bool) -> Workspace:
        opened.append(connecting.connect(**options))
        return opened[-1]

    yield start
    service.outage = False
    for ws in opened:
        ws.close()


def files(cache: Path) -> list[Path]:
    return sorted(cache.glob("*")) if cache.exists() else []


def test_a_notebook_reads_on_while_the_service_is_away(start: Open, service: FakeService) -> None:
    """A new kernel is where the last one was and shows what that read, and how old it is; then the truth."""
    before = start()
    before.switch("Wave 1")
    shows(before.landscape(), status="ready")
    shows(before.discovery(), status="ready")
    before.close()

    service.outage = True
    with pytest.warns(OldData, match="can change nothing"):
        ws = start()
    assert ws.current.state.session_id == WAVE_1
    with pytest.warns(OldData, match="this was read less than a minute ago"):
        assert ws.session.display_name == "Wave 1"
    landscape, table = ws.landscape(), ws.discovery()
    for view in (landscape, table):
        shows(view, session_label="Wave 1")
        until(lambda view=view: view._state["as_of"] is not None)
    assert landscape._state["landscape"]["totals"]["asset_count"] == 3
    assert table._state["page"]["total"] == 3
    with pytest.raises(Unavailable):
        ws.create("Not now")

    service.add_assets(WAVE_1, demo_assets(WAVE_1, 4))
    service.outage = False
    shows(landscape, status="ready", as_of=None, refreshing=False)
    until(lambda: landscape._state["landscape"]["totals"]["asset_count"] == 4)
    shows(table, status="ready", as_of=None)
    ws.switch("Wave 2")


def test_a_change_does_not_wait_for_the_service_to_come_back(start: Open, service: FakeService) -> None:
    """A cell that makes a session hears at once that nobody answers, however long that has been known."""
    ws = start()
    until(lambda: ws.feed.live)
    service.outage = True
    until(lambda: ws.feed.away)
    with pytest.raises(Unavailable):
        ws.create("Not now")
    assert "Not now" not in repr(ws.queries)


def test_a_session_that_was_read_before_can_be_pinned(start: Open, service: FakeService) -> None:
    """While the service is away sessions are found among those that were listed, and shown if read before."""
    before = start()
    shows(before.selector, status="ready")
    shows(before.at("Wave 1").landscape(), status="ready")
    until(lambda: before.queries.get_queries_data(("sessions", CONTOSO)))
    before.close()
    service.outage = True
    with pytest.warns(OldData):
        ws = start()
    with pytest.warns(OldData, match="Wave 1 is as it was read before"):
        pinned = ws.at("Wave 1")
    shows(pinned.landscape(), status="ready", session=WAVE_1)
    with pytest.raises(Unavailable):
        ws.at("Never seen")


def test_what_was_never_read_says_why_it_is_not_there(start: Open, service: FakeService) -> None:
    """A view without anything to show names the outage at once, and fills by itself when it ends."""
    start().close()
    service.outage = True
    with pytest.warns(OldData):
        ws = start()
    view = ws.landscape()
    until(lambda: (view._state["error"] or {}).get("kind") == "Unavailable")
    assert view._state["as_of"] is None or view._state["landscape"] is None
    service.outage = False
    shows(view, status="ready", error=None)


def test_an_outage_in_the_middle_marks_what_is_shown(start: Open, service: FakeService) -> None:
    """What was kept true until a moment ago is as of that moment, not as of when it was read."""
    ws = start()
    view = ws.landscape()
    shows(view, status="ready", as_of=None)
    until(lambda: ws.feed.live)
    began = time.time()
    service.outage = True
    until(lambda: view._state["as_of"] is not None)
    assert began - 60 < view._state["as_of"] <= time.time()
    service.outage = False
    shows(view, status="ready", as_of=None)


def test_an_outage_brings_back_what_memory_has_dropped(start: Open, service: FakeService) -> None:
    """A session that was looked at long ago is on disk, though the queries have let it go."""
    first = start()
    shows(first.at("Wave 1").landscape(), status="ready")
    first.close()
    ws = start()
    until(lambda: ws.feed.live)
    key = ("discovery", CONTOSO, WAVE_1, "landscape")
    assert ws.queries.get_query_data(key) is None, "while the service is there it is asked"
    service.outage = True
    until(lambda: ws.queries.get_query_data(key) is not None)


def test_without_anything_kept_an_outage_is_an_error(start: Open, service: FakeService) -> None:
    """The first connect of a notebook needs its service."""
    service.outage = True
    with pytest.raises(Unavailable):
        start()


def test_it_is_the_callers_alone(start: Open, cache: Path) -> None:
    """The folder and the file are nobody else's to read, and hold no token."""
    ws = start()
    shows(ws.landscape(), status="ready")
    ws.close()
    [file] = files(cache)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    cache.chmod(0o755)
    assert KeptFile(file).read() is None, "others could have put it there"


@pytest.mark.parametrize("off", ["argument", "environment", "voila", "script"])
def test_it_can_be_turned_off(start: Open, cache: Path, off: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an argument, by the environment; and always where visitors share, or nobody comes back."""
    if off == "environment":
        monkeypatch.setenv("MOORING_CACHE", "off")
    elif off == "voila":
        monkeypatch.setenv("VOILA_REQUEST_URL", "http://x")
    elif off == "script":
        monkeypatch.setattr(connecting, "find_place", lambda _: Place())
    start(**{"cache": False} if off == "argument" else {}).close()
    assert files(cache) == []


def test_callers_and_notebooks_have_files_of_their_own(cache: Path) -> None:
    """Another token, service or notebook never reads this one's."""

    def path(fingerprint: str, place: Place, named: str = "") -> Path:
        client = FakeClient()
        client.fingerprint = lambda: fingerprint  # type: ignore[method-assign]
        file = KeptFile.of(client, place, named, {})
        assert file is not None
        return file.path

    paths = [path("a", PLACE), path("b", PLACE), path("a", Place("", "other")), path("a", PLACE, "default")]
    assert len(set(paths)) == 4
    assert path("a", PLACE) == path("a", Place("another-kernel", PLACE.notebook_key))


def test_what_may_not_be_read_any_more_is_forgotten(start: Open, service: FakeService, cache: Path) -> None:
    """Who loses an engagement has nothing of it left on disk."""
    ws = start()
    shows(ws.landscape(), status="ready")
    ws.close()
    assert CONTOSO in files(cache)[0].read_text()
    ws = start()
    view = ws.landscape()
    shows(view, status="ready")
    refusal = PermissionDenied("you have no access")
    for method in ("get_engagement", "get_session", "get_landscape"):
        ws.client.fail(method, refusal, times=9)  # type: ignore[attr-defined]
    ws.queries.invalidate_queries(("discovery", CONTOSO))
    shows(view, status="error")
    ws.queries.invalidate_queries(())
    ws.queries.remove_queries(("sessions",))
    ws.close()
    [file] = files(cache)
    kept = KeptFile(file).read()
    assert kept is not None
    assert [key for key in kept.entries if CONTOSO in key.split('"~tuple"')[1][:60]] == []


def test_another_database_starts_anew(start: Open, service: FakeService, cache: Path) -> None:
    """What was read from the database of before is not kept with that of now; the context is found again."""
    ws = start()
    shows(ws.at("Wave 1").landscape(), status="ready")
    ws.close()
    ws = start()
    until(lambda: ws.feed.live)
    service.outage = True
    until(lambda: ws.feed.away)
    service.incarnation = "restored"
    service.contexts.clear()
    service._bindings.clear()
    service.outage = False
    until(lambda: ws.current.name in service.contexts, "a new context")
    assert ws.switch("Wave 2").name == WAVE_2
    ws.close()
    kept = KeptFile(files(cache)[0]).read()
    assert kept is not None
    assert (kept.incarnation, kept.context.session) == ("restored", WAVE_2)
    assert not any(f"{WAVE_1}" in key and "landscape" in key for key in kept.entries)


def test_only_whole_recent_files_of_this_version_count(tmp_path: Path) -> None:
    """An old answer, a damaged file and one of another version are as if they were not there."""
    tmp_path.chmod(0o700)
    file = KeptFile(tmp_path / "kept.json")
    assert file.read() is None
    entries = {key: Entry(time.time() - age, key, "1") for key, age in (("new", 60.0), ("old", 90_000.0))}
    file.write(Kept(Context("c", CONTOSO, BASELINE, 3), "i", entries))
    found = file.read()
    assert found is not None
    assert (found.context.session, set(found.entries)) == (BASELINE, {"new"})
    text = file.path.read_text()
    file.path.write_text(text.replace('"version":"', '"version":"9'))
    assert file.read() is None
    file.path.write_text(text[:-9])
    assert file.read() is None


def test_a_file_stays_small(tmp_path: Path) -> None:
    """Of more than fits the newest answers stay."""
    tmp_path.chmod(0o700)
    file = KeptFile(tmp_path / "kept.json")
    now = time.time()
    entries = {str(age): Entry(now - age, str(age), '"' + "x" * 2**20 + '"') for age in range(12)}
    file.write(Kept(Context("c", CONTOSO, BASELINE, 3), "", entries))
    found = file.read()
    assert found is not None
    assert set(found.entries) == set(map(str, range(7)))


def test_long_unused_files_are_swept(tmp_path: Path) -> None:
    """What no notebook has written for a week goes."""
    for name, age in (("used", 3_600), ("unused", 8 * 86_400)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    KeptFile(tmp_path / "kept.json").sweep()
    assert [path.name for path in tmp_path.iterdir()] == ["used"]


def test_a_token_that_is_refused_leaves_nothing(start: Open, service: FakeService, cache: Path) -> None:
    """Who is not let in any more has nothing left to read."""
    ws = start()
    shows(ws.landscape(), status="ready")
    ws.close()
    assert files(cache)
    ws = start()
    until(lambda: ws.feed.live)
    ws.client.fail("watch", Unauthenticated("the token was revoked"), times=99)  # type: ignore[attr-defined]
    ws.feed._watch.cancel()  # type: ignore[union-attr]
    until(lambda: ws.feed.refused and not files(cache))
