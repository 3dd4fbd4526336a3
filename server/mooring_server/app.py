"""The composition root: builds the parts of a server, starts them, and stops them in order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from mooring_server.api import discovery, engagements, listening, operations, sessions, users, watch
from mooring_server.api.authentication import TokenAuth
from mooring_server.api.driver import Authenticator, Driver, NoAuth
from mooring_server.background import (
    Cleanup,
    MetricsEndpoint,
    Operations,
    Reads,
    Refresh,
    Separation,
    TokenUses,
    WatchHub,
)
from mooring_server.core.policy import POLICY
from mooring_server.metrics import Metrics
from mooring_server.settings import Auth, Settings
from mooring_server.store import Store, open_store

# Pings that may come too soon before the connection is closed; data between them forgives.
_PING_STRIKES = 2


@dataclass(frozen=True, slots=True)
class App:
    """A running server. `addresses` are what clients connect to, with the ports that were really taken, and
    `metrics_address` is Prometheus's, if any.
    """

    addresses: tuple[str, ...]
    metrics_address: str
    store: Store
    _driver: Driver

    @property
    def address(self) -> str:
        """The first of the addresses."""
        return self.addresses[0]

    @property
    def incarnation(self) -> str:
        """The database's own id."""
        return self.store.incarnation

    def idle_s(self) -> float:
        """Seconds since the last call or stream ended; 0 while one is open. Health checks do not count."""
        return self._driver.activity.idle_s()


@asynccontextmanager
async def running_app(
    settings: Settings, *, addresses: Sequence[str] = (), authenticator: Authenticator | None = None
) -> AsyncIterator[App]:
    """A server for as long as the context lasts. The database must have been migrated.

    Args:
        settings: All of them; `host` and `port` count where no address is given.
        addresses: Each `host:port` or `unix:/path`.
        authenticator: Who finds out who is calling; by default what `settings.auth` says.

    Raises:
        InvalidArgument: as `listening.check_exposure`.
        Unavailable: an address is taken, or the database is not migrated or does not answer.
    """
    addresses = addresses or (tcp_address(settings),)
    if authenticator is None:
        listening.check_exposure(settings, addresses)
    certificate = listening.Certificate.of(settings)

    store = open_store(settings.database, settings=settings, metrics=Metrics())
    try:
        hub = WatchHub(store, settings)
        store.on_commit = hub.notify
        works = Operations(store, settings)
        reads = Reads(store, settings)
        cleanup = Cleanup(store, settings)
        refresh = Refresh(store, settings, hub.restart)
        scraped = MetricsEndpoint(store.metrics, settings.metrics_address)

        uses = TokenUses(store)
        if authenticator is None:
            authenticator = TokenAuth(uses.note) if settings.auth is Auth.TOKEN else NoAuth()
        separation = Separation(store, settings)
        driver = Driver(store, settings, authenticator, separation)
        server = grpc.aio.server(options=_options(settings))
        states = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(states, server)
        server.add_generic_rpc_handlers(
            (
                users.handler(driver),
                engagements.handler(driver),
                sessions.handler(driver, works, reads),
                discovery.handler(driver, works, reads),
                operations.handler(driver, works),
                watch.handler(driver, hub),
            )
        )
        names = sorted({rpc.partition("/")[0] for rpc in POLICY})
        if settings.reflection:
            reflection.enable_server_reflection(
                [*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server
            )
        bound = tuple(listening.bind(server, address, certificate) for address in addresses)

        await server.start()
        try:
            scraped.start()
            works.start()
            reads.start()
            cleanup.start()
            refresh.start()
            uses.start()
            for name in ("", *names):
                await states.set(name, health_pb2.HealthCheckResponse.SERVING)
            yield App(bound, scraped.address, store, driver)
        finally:
            await states.enter_graceful_shutdown()
            # New calls are refused from here on. Watches, and waits for operations, would outlast any
            # grace: ending what they wait for ends them.
            stopping = asyncio.create_task(server.stop(settings.stop_grace_s))
            await hub.close()
            await works.close()
            await stopping
            await separation.close()
            await reads.close()
            await cleanup.close()
            await refresh.close()
            await scraped.close()
            await uses.close()
    finally:
        await store.close()


def tcp_address(settings: Settings) -> str:
    """`host:port` of the settings."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{settings.port}"


def _options(settings: Settings) -> list[tuple[str, int]]:
    pending = settings.pending_requests_max
    metadata = settings.metadata_size_max_bytes
    return [
        ("grpc.max_receive_message_length", settings.message_size_max_bytes),
        # Pages are bounded by their size; a client says itself what it takes.
        ("grpc.max_send_message_length", -1),
        # A burst of watches waits for its turn rather than being refused.
        ("grpc.server.max_pending_requests", pending),
        ("grpc.server.max_pending_requests_hard_limit", pending),
        # One limit: between a soft and a hard one, grpc would refuse some calls by chance.
        ("grpc.max_metadata_size", metadata),
        ("grpc.absolute_max_metadata_size", metadata),
        # What is over it waits at the client.
        ("grpc.max_concurrent_streams", settings.streams_per_connection_max),
        ("grpc.keepalive_time_ms", _ms(settings.keepalive_time_s)),
        ("grpc.keepalive_timeout_ms", _ms(settings.keepalive_timeout_s)),
        # Else an unanswered ping gets a minute all the same, and a connection without data few pings.
        ("grpc.http2.ping_timeout_ms", _ms(settings.keepalive_timeout_s)),
        ("grpc.http2.max_pings_without_data", 0),
        # Clients may ask whether a silent connection still stands, also between calls, but not all the time.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", _ms(settings.ping_interval_min_s)),
        ("grpc.http2.max_ping_strikes", _PING_STRIKES),
        # Two servers on one port would each get some of the calls.
        ("grpc.so_reuseport", 0),
    ]


def _ms(seconds: float) -> int:
    return round(seconds * 1_000)
