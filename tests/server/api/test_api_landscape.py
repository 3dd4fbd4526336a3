"""GetLandscape over a real socket: the numbers, whom they name, and how often they are computed."""

import asyncio
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import grpc
import pytest
from mooring.v1 import assets_pb2, dependencies_pb2, landscape_pb2
from mooring_server.api import landscape as api
from mooring_server.settings import Settings
from mooring_server.store import back_up, restore
from mooring_server.store.landscapes import Landscapes
from support_assets import list_assets, put_asset, put_dependency
from support_discovery import import_file
from support_server import HeaderAuth, new_engagement, serving
from support_waiting import until

CSV = b"hostname,type,environment,application,cpu\n" + b"".join(
    b"web-%03d,server,%s,Shop,2\n" % (number, b"production" if number % 3 else b"test")
    for number in range(30)
)


@pytest.fixture
def session(ann):
    """The default session of an engagement that ann manages."""
    return new_engagement(ann).default_session


@pytest.fixture
def aggregations(monkeypatch):
    """One entry for each time that a version is aggregated."""
    begun = []
    real = Landscapes.aggregate
    monkeypatch.setattr(Landscapes, "aggregate", lambda *some: begun.append(1) or real(*some))
    return begun


def request(session):
    return landscape_pb2.GetLandscapeRequest(name=f"{session}/landscape")


def landscape(caller, session):
    return caller.discovery.GetLandscape(request(session), timeout=30)


def groups(found):
    return {
        group.field: {bucket.value: bucket.totals.asset_count for bucket in group.buckets}
        for group in found.groups
    }


def test_a_session_without_data_has_an_empty_landscape(ann, session):
    """Every group and every field is there, with nothing in it, and no data version."""
    found = landscape(ann, session)
    assert (found.name, found.data_version) == (f"{session}/landscape", "")
    assert set(map(str, groups(found).values())) == {"{}"}
    assert {each.known_count for each in found.completeness} == {0}
    assert len(found.completeness) == 25
    assert (found.totals, found.dependencies) == (
        landscape_pb2.LandscapeTotals(),
        landscape_pb2.LandscapeDependencies(),
    )


def test_a_landscape_adds_up(ann, session):
    """Totals, groups, applications, completeness and dependencies are of what the session shows."""
    import_file(ann, session, CSV)
    machine = assets_pb2.ASSET_TYPE_VIRTUAL_MACHINE
    shop = put_asset(ann, f"{session}/assets/a-shop", display_name="A shop", application="Shop", type=machine)
    till = put_asset(ann, f"{session}/assets/till", display_name="Till", memory_bytes=2**63 - 1)
    for number, kind in enumerate(("FLOW", "FLOW", "RUNS_ON")):
        value = dependencies_pb2.DependencyKind.Value(f"DEPENDENCY_KIND_{kind}")
        put_dependency(
            ann,
            f"{session}/dependencies/d{number}",
            source=till.name,
            target=shop.name,
            kind=value,
            port=number + 1,
        )
    put_dependency(ann, f"{session}/dependencies/own", source=till.name, target=till.name)
    found = landscape(ann, session)
    assert found.data_version == list_assets(ann, session).data_version
    assert found.totals == landscape_pb2.LandscapeTotals(
        asset_count=32, cpu_cores=60, memory_bytes=2**63 - 1, cpu_known_count=30, memory_known_count=1
    )
    assert groups(found)["environment"] == {"production": 20, "test": 10, "": 2}
    assert groups(found)["type"] == {"server": 30, "other": 1, "virtual_machine": 1}
    known = {each.field: each.known_count for each in found.completeness}
    assert (known["display_name"], known["hostname"], known["cpu_cores"], known["owner"]) == (32, 30, 30, 0)
    (application,) = found.applications
    assert found.application_count == 1
    assert (application.application, application.server_count) == ("Shop", 31)
    assert application.asset_count_by_type == {"server": 30, "virtual_machine": 1}
    assert application.totals.cpu_cores == 60
    assert len(application.servers) == 5
    assert application.servers[0] == landscape_pb2.AssetReference(asset=shop.name, display_name="A shop")
    dependencies = found.dependencies
    assert (dependencies.dependency_count, dependencies.self_count, dependencies.isolated_count) == (4, 1, 30)
    assert sum(dependencies.count_by_kind.values()) == 4
    assert dependencies.count_by_kind["flow"] == 2
    assert {each.asset.asset: (each.in_degree, each.out_degree) for each in dependencies.degrees} == {
        shop.name: (1, 0),
        till.name: (0, 1),
    }


def test_unchanged_data_is_aggregated_once(ann, session, aggregations):
    """However many ask, at once or later; after an edit the next answer is of what the edit made."""
    import_file(ann, session, CSV)
    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(lambda _: landscape(ann, session), range(16))
    assert all(other == first for other in others)
    assert (len(aggregations), landscape(ann, session), len(aggregations)) == (1, first, 1)
    put_asset(ann, f"{session}/assets/new", display_name="New")
    second = landscape(ann, session)
    assert (second.totals.asset_count, len(aggregations)) == (31, 2)
    assert second.data_version == list_assets(ann, session).data_version != first.data_version
    assert landscape(ann, session) == second
    assert len(aggregations) == 2


def test_a_restore_forgets_what_was_added_up(tmp_path):
    """Another edit that leads to the same revision of the same version is another landscape."""
    settings = Settings(database=f"sqlite:///{tmp_path}/mooring.db", port=0, stop_grace_s=1)
    with serving(settings, authenticator=HeaderAuth()) as server:
        ann = server.user("ann")
        session = new_engagement(ann).default_session
        put_asset(ann, f"{session}/assets/web", display_name="Web")
        backup, quiet = io.BytesIO(), lambda _what, _done, _total: None
        back_up(settings.database, backup, quiet)
        put_asset(ann, f"{session}/assets/db", display_name="Db", owner="Ann")
        before = landscape(ann, session)
        incarnation = server.app.incarnation
        restore(settings.database, backup, settings, quiet, replace=True)
        until(lambda: server.app.incarnation != incarnation, "the server notices")
        put_asset(ann, f"{session}/assets/db", display_name="Db")
        after = landscape(ann, session)
    assert after.data_version == before.data_version
    owners = [{each.field: each.known_count for each in found.completeness} for found in (before, after)]
    assert [each["owner"] for each in owners] == [1, 0]


def test_who_hangs_up_leaves_the_others_their_answer(ann, session, monkeypatch):
    """What was begun for a caller who has left is finished for whoever asks then."""
    import_file(ann, session, CSV)
    begun, go_on, count = threading.Event(), threading.Event(), []
    real = Landscapes.aggregate

    def gated(*some):
        count.append(1)
        begun.set()
        assert go_on.wait(30)
        return real(*some)

    monkeypatch.setattr(Landscapes, "aggregate", gated)
    first = ann.discovery.GetLandscape.future(request(session), timeout=30)
    assert begun.wait(30)
    first.cancel()
    second = ann.discovery.GetLandscape.future(request(session), timeout=30)
    go_on.set()
    assert second.result().totals.asset_count == 30
    assert count == [1]


def test_one_callers_failure_is_no_others(ann, session, monkeypatch):
    """Of those who ask at once only the one is refused whose computation failed; later ones are not."""
    import_file(ann, session, CSV)
    begun, go_on, count = threading.Event(), threading.Event(), []
    real = Landscapes.aggregate

    def failing_once(*some):
        count.append(1)
        if len(count) > 1:
            return real(*some)
        begun.set()
        assert go_on.wait(30)
        raise RuntimeError("once")

    monkeypatch.setattr(Landscapes, "aggregate", failing_once)
    first = ann.discovery.GetLandscape.future(request(session), timeout=30)
    assert begun.wait(30)
    others = [ann.discovery.GetLandscape.future(request(session), timeout=30) for _ in range(4)]
    go_on.set()
    assert first.code() is grpc.StatusCode.INTERNAL
    assert {other.result().totals.asset_count for other in others} == {30}
    assert len(count) == 2


def test_who_asks_as_a_computation_fails_begins_another(monkeypatch):
    """Also in the very turn of the event loop in which it failed; nobody is held up."""
    version = SimpleNamespace(id="version", revision=0)
    answers = iter([RuntimeError("once"), SimpleNamespace(version=version)])

    async def scenario():
        failed = asyncio.Event()

        async def compute(_: str):
            answer = next(answers)
            if isinstance(answer, Exception):
                failed.set()
                raise answer
            return answer

        async def late():
            await failed.wait()
            return await landscapes._computed(version)

        landscapes = api.Landscapes(SimpleNamespace(store=None))
        monkeypatch.setattr(landscapes, "_compute", compute)
        waiting = asyncio.create_task(late())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="once"):
            await landscapes._computed(version)
        return await waiting

    assert asyncio.run(scenario()).version is version
