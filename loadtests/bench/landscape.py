"""How long a landscape takes, first and of an unchanged version, beside a read by key."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import grpc
from mooring.v1 import discovery_pb2_grpc, landscape_pb2, sessions_pb2, sessions_pb2_grpc

_CALLS = 200


def measure(address: str, session: str) -> dict[str, float]:
    """Answers `first_s`, and the medians `again_s` and `key_s`, of which the last is GetSession."""
    with grpc.insecure_channel(address) as channel:
        discovery = discovery_pb2_grpc.DiscoveryServiceStub(channel)
        sessions = sessions_pb2_grpc.SessionServiceStub(channel)
        landscape = landscape_pb2.GetLandscapeRequest(name=f"{session}/landscape")
        by_key = sessions_pb2.GetSessionRequest(name=session)
        first_s = _taken_s(discovery.GetLandscape, landscape)
        again = [_taken_s(discovery.GetLandscape, landscape) for _ in range(_CALLS)]
        key = [_taken_s(sessions.GetSession, by_key) for _ in range(_CALLS)]
    return {"first_s": first_s, "again_s": statistics.median(again), "key_s": statistics.median(key)}


def _taken_s(call: Callable[[Any], Any], request: Any) -> float:
    begun_s = time.perf_counter()
    call(request)
    return time.perf_counter() - begun_s
