"""What the server counts, read as Prometheus reads it."""

from urllib.error import URLError
from urllib.request import urlopen

import grpc
import pytest
from mooring.v1 import engagements_pb2, sessions_pb2, users_pb2, watch_pb2
from mooring_server.errors import Unavailable
from mooring_server.metrics import Metrics
from mooring_server.settings import Settings
from prometheus_client.parser import text_string_to_metric_families
from support_discovery import import_file
from support_server import Caller, HeaderAuth, new_engagement, refused, serving
from support_waiting import until

Code = grpc.StatusCode
DEADLINE_S = 30


@pytest.fixture
def settings(tmp_path):
    return Settings(
        database=f"sqlite:///{tmp_path}/m.db", port=0, stop_grace_s=1, metrics_address="127.0.0.1:0"
    )


@pytest.fixture
def server(settings):
    with serving(settings, authenticator=HeaderAuth()) as running:
        yield running


def scrape(address):
    with urlopen(f"http://{address}/metrics", timeout=DEADLINE_S) as answer:
        return answer.read().decode()


def samples(server):
    """A function from a sample's name and labels to the sum of what matches."""
    families = list(text_string_to_metric_families(scrape(server.app.metrics_address)))

    def value(name, **labels):
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    return value


def me(caller):
    return caller.users.GetCurrentUser(users_pb2.GetCurrentUserRequest())


def test_calls_are_counted_by_method_and_code(server):
    """Every call is in started, handled (by code) and the histogram; none is left in flight."""
    ann = server.user("ann")
    for _ in range(3):
        me(ann)
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        ann.engagements.GetEngagement(engagements_pb2.GetEngagementRequest(name="engagements/none"))
    value = samples(server)
    users = {"grpc_type": "unary", "grpc_service": "mooring.v1.UserService", "grpc_method": "GetCurrentUser"}
    assert value("grpc_server_started_total", **users) == 3
    assert value("grpc_server_handled_total", **users, grpc_code="OK") == 3
    assert value("grpc_server_handling_seconds_count", **users) == 3
    assert value("grpc_server_msg_received_total", **users) == 3
    assert value("grpc_server_msg_sent_total", **users) == 3
    assert value("mooring_calls_in_flight", **users) == 0
    assert value("grpc_server_handled_total", grpc_method="GetEngagement", grpc_code="PERMISSION_DENIED") == 1
    assert value("grpc_server_msg_sent_total", grpc_method="GetEngagement") == 0
    assert value("mooring_refusals_total", reason="PERMISSION_DENIED") == 1


def test_a_fault_and_bytes_without_a_caller_are_counted_too(server, monkeypatch):
    """What is refused before anybody is known, and what nobody foresaw, have their codes."""
    with refused(Code.INVALID_ARGUMENT, "MALFORMED_REQUEST"):
        server.user("ann").raw("mooring.v1.SessionService/GetSession", b"\x0a\xff")
    monkeypatch.setattr(HeaderAuth, "identify", lambda *_: 1 / 0)
    with refused(Code.INTERNAL, "INTERNAL"):
        me(server.user("ann"))
    value = samples(server)
    assert value("grpc_server_handled_total", grpc_method="GetSession", grpc_code="INVALID_ARGUMENT") == 1
    assert value("grpc_server_handled_total", grpc_method="GetCurrentUser", grpc_code="INTERNAL") == 1


def test_open_watches_are_counted_while_they_are_open(server):
    """An open watch is in flight; what it was sent is counted; once closed, it is gone and CANCELLED."""
    ann = server.user("ann")
    stream = ann.watch.Watch(watch_pb2.WatchRequest(streams=["users/me"]), timeout=DEADLINE_S)
    next(stream)
    new_engagement(ann)
    changes = len(next(stream).changes)
    assert changes > 0
    until(lambda: samples(server)("mooring_watch_changes_sent_total") == changes)
    value = samples(server)
    assert value("mooring_watches_open") == 1
    assert value("mooring_calls_in_flight", grpc_type="server_stream", grpc_method="Watch") == 1
    assert value("grpc_server_msg_sent_total", grpc_method="Watch") >= 2
    stream.cancel()
    until(lambda: samples(server)("grpc_server_handled_total", grpc_method="Watch", grpc_code="CANCELLED"))
    assert samples(server)("mooring_watches_open") == 0


def test_imported_rows_are_counted_by_outcome(server):
    """Each row of an imported file is counted once, under what became of it, and so is each message."""
    ann = server.user("ann")
    session = new_engagement(ann).default_session
    import_file(ann, session, b"name,type\nweb-1,server\nweb-2,server\n,server\n")
    import_file(ann, session, b"name,type\nweb-1,server\nweb-2,database\n")
    value = samples(server)
    outcomes = ("created", "updated", "unchanged", "joined", "rejected")
    rows = {outcome: value("mooring_import_rows_total", outcome=outcome) for outcome in outcomes}
    assert (rows["created"], rows["rejected"], sum(rows.values())) == (2, 1, 5)
    assert value("grpc_server_msg_received_total", grpc_type="client_stream") == 4
    assert value("grpc_server_msg_sent_total", grpc_type="client_stream") == 2


def test_calls_over_the_rate_are_counted_by_class(settings):
    """A refusal for coming too fast is counted under its class."""
    limited = settings.model_copy(update={"read_rate": "1/day"})
    with serving(limited, authenticator=HeaderAuth()) as server:
        ann = server.user("ann")
        me(ann)
        for _ in range(2):
            with refused(Code.RESOURCE_EXHAUSTED, "RATE_LIMITED"):
                me(ann)
        value = samples(server)
        assert value("mooring_rate_limited_total", rate="read") == 2
        assert value("mooring_refusals_total", reason="RATE_LIMITED") == 2


def test_the_stores_times_are_counted(database):
    """Each write waits once and is in a commit; SQLite says how many shared it; long reads wait too."""
    read = database.store.metrics.registry.get_sample_value
    database.write(lambda tx: None)
    database.write(lambda tx: None)
    database.read(lambda tx: None, long=True)
    assert read("mooring_store_queue_seconds_count", {"verb": "write"}) == 2
    assert read("mooring_store_queue_seconds_count", {"verb": "read"}) == 1
    assert read("mooring_store_commit_seconds_count") == 2
    if database.url.startswith("sqlite"):
        assert read("mooring_store_batch_writes_sum") == 2


def test_a_caches_hits_and_misses_are_apart():
    """Each look-up is counted under its cache and its result."""
    metrics = Metrics()
    for hit in (True, False, True):
        metrics.cache("role", hit)
    read = metrics.registry.get_sample_value
    assert read("mooring_cache_requests_total", {"cache": "role", "result": "hit"}) == 2
    assert read("mooring_cache_requests_total", {"cache": "role", "result": "miss"}) == 1


def test_no_label_holds_what_callers_choose(server):
    """Neither users nor names nor methods that do not exist add a line, let alone appear in one."""
    ann = server.user("ann")
    me(ann)
    with pytest.raises(grpc.RpcError):
        ann.sessions.GetSession(sessions_pb2.GetSessionRequest(name="engagements/first/sessions/x"))
    before = scrape(server.app.metrics_address)
    for index in range(5):
        somebody = server.user(f"visitor-{index}")
        user = me(somebody).name.removeprefix("users/")
        with pytest.raises(grpc.RpcError):
            somebody.sessions.GetSession(
                sessions_pb2.GetSessionRequest(name=f"engagements/wanted-{index}/sessions/x")
            )
        with pytest.raises(grpc.RpcError):
            somebody.raw(f"mooring.v1.UserService/Invented{index}", b"")
        after = scrape(server.app.metrics_address)
        assert not any(word in after for word in (user, "visitor", "wanted", "Invented"))
    assert len(after.splitlines()) == len(before.splitlines())


def test_two_servers_of_one_process_are_apart(server, tmp_path):
    """What one server counts, another one's metrics do not show."""
    me(server.user("ann"))
    other = Settings(database=f"sqlite:///{tmp_path}/o.db", port=0, metrics_address="127.0.0.1:0")
    with serving(other) as second:
        assert samples(second)("grpc_server_started_total") == 0
        me(Caller(second.channel))
        assert samples(second)("grpc_server_started_total") == 1
    assert samples(server)("grpc_server_started_total") == 1


def test_the_endpoint_ends_with_the_server(settings):
    """After the server nothing answers at the metrics' address, and the next server can have it."""
    with serving(settings) as server:
        address = server.app.metrics_address
        assert address != settings.metrics_address
        scrape(address)
    with pytest.raises(URLError):
        scrape(address)
    with serving(settings.model_copy(update={"metrics_address": address})) as server:
        scrape(server.app.metrics_address)


def test_a_taken_metrics_address_is_said(server, tmp_path):
    """A server whose metrics nobody could read does not start."""
    taken = Settings(
        database=f"sqlite:///{tmp_path}/o.db", port=0, metrics_address=server.app.metrics_address
    )
    with pytest.raises(Unavailable, match=r"metrics_address: .* cannot be listened on"), serving(taken):
        pass


def test_without_an_address_there_is_no_endpoint(tmp_path):
    """Nothing listens unless it was asked for."""
    with serving(Settings(database=f"sqlite:///{tmp_path}/o.db", port=0)) as server:
        assert server.app.metrics_address == ""
