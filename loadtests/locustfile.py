"""One journey of a notebook user over gRPC: open, list, switch, read what the session shows, maybe create.

    locust -f loadtests/locustfile.py --host 127.0.0.1:50051

The exit status tells whether the budgets of `budgets.py` hold.
"""

import random
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import grpc
import grpc.experimental.gevent as grpc_gevent
from budgets import Measured, broken, budgets
from locust import User, between, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from mooring.v1 import (
    assets_pb2,
    discovery_pb2_grpc,
    engagements_pb2,
    engagements_pb2_grpc,
    landscape_pb2,
    sessions_pb2,
    sessions_pb2_grpc,
    users_pb2,
    users_pb2_grpc,
)

grpc_gevent.init_gevent()

CALL_TIMEOUT_S = 10.0
CREATE_EVERY = 10


class NotebookUser(User):
    """Somebody with a notebook of their own: one connection, one context."""

    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        self.rounds = count()
        # Users of one process would share a connection otherwise.
        self.channel = grpc.insecure_channel(self.host, options=[("grpc.use_local_subchannel_pool", 1)])
        users = users_pb2_grpc.UserServiceStub(self.channel)
        engagements = engagements_pb2_grpc.EngagementServiceStub(self.channel)
        self.sessions = sessions_pb2_grpc.SessionServiceStub(self.channel)
        self.discovery = discovery_pb2_grpc.DiscoveryServiceStub(self.channel)
        opened = self.call(
            users.OpenContext,
            users_pb2.OpenContextRequest(
                parent="users/me", kernel_key=str(uuid.uuid4()), request_id=request_id()
            ),
        )
        self.context = opened.context.name
        self.engagement = self.call(
            engagements.GetDefaultEngagement, engagements_pb2.GetDefaultEngagementRequest()
        ).name
        # Sessions with data, so that reads have something to read; on an empty server any will do.
        sessions = self.list_sessions()
        self.chosen_from = [one.name for one in sessions if one.asset_count] or [one.name for one in sessions]

    def on_stop(self) -> None:
        self.channel.close()

    @task
    def journey(self) -> None:
        self.list_sessions()
        chosen = random.choice(self.chosen_from)  # noqa: S311 - which session is no secret
        self.call(
            self.sessions.SwitchSession,
            sessions_pb2.SwitchSessionRequest(name=chosen, context=self.context, request_id=request_id()),
        )
        self.call(self.discovery.GetLandscape, landscape_pb2.GetLandscapeRequest(name=f"{chosen}/landscape"))
        self.call(self.discovery.ListAssets, assets_pb2.ListAssetsRequest(parent=chosen, page_size=100))
        if next(self.rounds) % CREATE_EVERY == 0:
            self.call(
                self.sessions.CreateSession,
                sessions_pb2.CreateSessionRequest(
                    parent=self.engagement,
                    session=sessions_pb2.Session(display_name=f"Load {uuid.uuid4()}"),
                    request_id=request_id(),
                ),
            )

    def list_sessions(self) -> Sequence[sessions_pb2.Session]:
        request = sessions_pb2.ListSessionsRequest(parent=self.engagement, page_size=50)
        return self.call(self.sessions.ListSessions, request).sessions

    def call(self, method: Callable[..., Any], request: Any) -> Any:
        """One RPC, measured under its name; a failure ends the journey and is counted."""
        name = type(request).__name__.removesuffix("Request")
        started = time.perf_counter()
        answer, failure = None, None
        try:
            answer = method(request, timeout=CALL_TIMEOUT_S)
            return answer
        except grpc.RpcError as error:
            failure = RuntimeError(f"{error.code().name}: {error.details()}")
            raise failure from None
        finally:
            self.environment.events.request.fire(
                request_type="grpc",
                name=name,
                response_time=(time.perf_counter() - started) * 1_000,
                response_length=answer.ByteSize() if answer is not None else 0,
                exception=failure,
            )


def request_id() -> str:
    return str(uuid.uuid4())


@events.init_command_line_parser.add_listener
def accept_budgets(parser: LocustArgumentParser) -> None:
    parser.add_argument("--budget", action="append", default=[], metavar="RPC=MS", help="change a p95 budget")


@events.quitting.add_listener
def hold_to_budgets(environment: Environment, **_: Any) -> None:
    """Print what was measured, and let the exit status tell whether the budgets hold."""
    measured = [
        Measured(
            rpc=entry.name,
            calls=entry.num_requests,
            errors=entry.num_failures,
            p50_ms=entry.get_response_time_percentile(0.5) or 0.0,
            p95_ms=entry.get_response_time_percentile(0.95) or 0.0,
        )
        for entry in environment.stats.entries.values()
    ]
    held_to = budgets(environment.parsed_options.budget)
    limits = {budget.rpc: f"{budget.p95_max_ms:,.0f}" for budget in held_to}
    lines = [f"{'RPC':<22}{'calls':>8}{'errors':>8}{'p50 ms':>9}{'p95 ms':>9}{'budget ms':>11}"]
    for one in sorted(measured, key=lambda one: one.rpc):
        numbers = f"{one.calls:>8,}{one.errors:>8,}{one.p50_ms:>9,.0f}{one.p95_ms:>9,.0f}"
        lines.append(f"{one.rpc:<22}{numbers}{limits.get(one.rpc, ''):>11}")
    sentences = list(broken(measured, held_to))
    lines += [f"Broken: {sentence}" for sentence in sentences] or ["Every budget holds."]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    environment.process_exit_code = 1 if sentences else 0
