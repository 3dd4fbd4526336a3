"""`google.longrunning.Operations` over a real socket."""

import grpc
import pytest
from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration
from mooring.v1 import engagements_pb2, imports_pb2, users_pb2
from mooring_server.settings import Settings
from support_discovery import done, report, start
from support_imports import Gate, row
from support_server import Caller, refused, serving


@pytest.fixture
def session(ann):
    """The default session of an engagement that ann manages."""
    wanted = engagements_pb2.Engagement(display_name="Harbour")
    request = engagements_pb2.CreateEngagementRequest(engagement=wanted)
    return ann.engagements.CreateEngagement(request).default_session


@pytest.fixture
def gate(monkeypatch):
    """Every import waits here after its first row."""
    gate = Gate([row(1)], [row(2)]).install(monkeypatch.setattr)
    yield gate
    gate.open()


def get(caller, name):
    return caller.operations.GetOperation(operations_pb2.GetOperationRequest(name=name))


def wait(caller, name, **duration):
    timeout = Duration(**duration) if duration else None
    return caller.operations.WaitOperation(
        operations_pb2.WaitOperationRequest(name=name, timeout=timeout), timeout=60
    )


def metadata(operation):
    unpacked = imports_pb2.ImportInventoryMetadata()
    assert operation.metadata.Unpack(unpacked)
    return unpacked


def test_an_import_is_an_operation_with_progress_and_a_report(ann, session, gate):
    """It can be asked for while it runs, and ends with its report."""
    operation = start(ann, session, b"any")
    assert operation.name.startswith(f"{session}/operations/")
    assert (metadata(operation).session, metadata(operation).file_name) == (session, "estate.csv")
    gate.reached()
    running = get(ann, operation.name)
    assert (running.done, running.WhichOneof("result")) == (False, None)
    gate.open()
    ended = done(ann, operation)
    assert (report(ended).created, metadata(ended).rows_done) == (2, 2)
    assert metadata(ended).phase == imports_pb2.IMPORT_PHASE_DONE
    assert get(ann, operation.name) == ended


def test_waiting_is_bounded(ann, session, gate):
    """A wait answers the operation as it is when its time is over."""
    operation = start(ann, session, b"any")
    gate.reached()
    assert not wait(ann, operation.name, nanos=1).done
    assert not wait(ann, operation.name, seconds=-5).done


def test_a_running_operation_can_be_cancelled(ann, session, gate):
    """It ends as CANCELLED, with the reason."""
    operation = start(ann, session, b"any")
    gate.reached()
    ann.operations.CancelOperation(operations_pb2.CancelOperationRequest(name=operation.name))
    gate.open()
    ended = done(ann, operation)
    assert ended.error.code == grpc.StatusCode.CANCELLED.value[0]
    ann.operations.CancelOperation(operations_pb2.CancelOperationRequest(name=operation.name))
    assert get(ann, operation.name) == ended


def test_operations_are_listed_newest_first(ann, session):
    """In pages, bound to their session."""
    names = [done(ann, start(ann, session, b"hostname\nweb\n")).name for _ in range(3)]
    request = operations_pb2.ListOperationsRequest(name=session, page_size=2)
    first = ann.operations.ListOperations(request)
    request.page_token = first.next_page_token
    second = ann.operations.ListOperations(request)
    assert [each.name for each in (*first.operations, *second.operations)] == names[::-1]
    assert second.next_page_token == ""


def test_absent_and_foreign_operations(ann, bob, session):
    """Absent is NOT_FOUND to those who may know, PERMISSION_DENIED to others; odd names are refused."""
    name = f"{session}/operations/absent"
    for call in (get, wait):
        with refused(grpc.StatusCode.NOT_FOUND, "OPERATION_NOT_FOUND"):
            call(ann, name)
        with refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"):
            call(bob, name)
        with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"):
            call(ann, session)
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"):
        ann.operations.ListOperations(operations_pb2.ListOperationsRequest(name=session, filter="done"))


def test_operations_of_an_absent_session(ann, session):
    """Its list is NOT_FOUND, not empty."""
    with refused(grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND"):
        ann.operations.ListOperations(
            operations_pb2.ListOperationsRequest(name=f"{session.rpartition('/')[0]}/absent")
        )


def test_nobody_waits_for_what_is_queued_when_the_server_stops(tmp_path, monkeypatch):
    """A wait that no running operation can end is answered, well before the grace is over."""
    settings = Settings(database=f"sqlite:///{tmp_path}/m.db", port=0, imports_at_once_max=1, stop_grace_s=5)
    gate = Gate([row(1)]).install(monkeypatch.setattr)
    with serving(settings) as server:
        caller = Caller(server.channel)
        caller.users.GetCurrentUser(users_pb2.GetCurrentUserRequest())
        home = caller.engagements.GetDefaultEngagement(engagements_pb2.GetDefaultEngagementRequest())
        start(caller, home.default_session, b"any")
        gate.reached()
        queued = start(caller, home.default_session, b"any")
        waiting = caller.operations.WaitOperation.future(
            operations_pb2.WaitOperationRequest(name=queued.name), timeout=60
        )
        get(caller, queued.name)  # The wait was sent before this, so it has begun.
        gate.open()
        server.stop()
        assert not waiting.result(60).done
