"""The guide for backend services: what it says in Python is true."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from mooring.v1 import sessions_pb2, sessions_pb2_grpc

GUIDE = Path(__file__).parents[2] / "docs" / "stubs.md"


def blocks():
    """The guide's Python, each padded so that a traceback names the line of the guide."""
    text = GUIDE.read_text("utf-8")
    for found in re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield "\n" * text.count("\n", 0, found.start(1)) + found[1]


def run(texts, monkeypatch, address, token):
    """Runs blocks one after the other, as a reader would; what they leave behind."""
    monkeypatch.setenv("MOORING_SERVER", address)
    monkeypatch.setenv("MOORING_TOKEN", token)
    space = {}
    for text in texts:
        exec(compile(text, GUIDE, "exec"), space)  # noqa: S102 - what the reader would run
    return space


def test_the_guide_runs_from_top_to_bottom(server, bearers, monkeypatch):
    """Every block of the guide works on a fresh server, below those before it."""
    assert run(blocks(), monkeypatch, server.address, bearers["ada"])["imported"].report.created == 2


def test_the_retry_policy_is_in_force(monkeypatch):
    """On the guide's channel a call that finds the server away succeeds later; other failures are told."""
    failures = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE]

    class Service(sessions_pb2_grpc.SessionServiceServicer):
        def GetSession(self, request, context):  # noqa: N802 - the method's name
            if request.name == "aborted":
                context.abort(grpc.StatusCode.ABORTED, "moved")
            if failures:
                context.abort(failures.pop(), "away")
            return sessions_pb2.Session(name=request.name)

    server = grpc.server(ThreadPoolExecutor(2))
    sessions_pb2_grpc.add_SessionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        channel = run([next(blocks())], monkeypatch, f"127.0.0.1:{port}", "")["channel"]
        sessions = sessions_pb2_grpc.SessionServiceStub(channel)
        answer = sessions.GetSession(sessions_pb2.GetSessionRequest(name="wave-1"), timeout=30)
        assert (answer.name, failures) == ("wave-1", [])
        with pytest.raises(grpc.RpcError) as refusal:
            sessions.GetSession(sessions_pb2.GetSessionRequest(name="aborted"), timeout=30)
        assert refusal.value.code() is grpc.StatusCode.ABORTED
        channel.close()
    finally:
        server.stop(None)
