"""The composition root: builds the parts of a server, starts them, and stops them in order."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from mooring_server.api import discovery, engagements, operations, sessions, users, watch
from mooring_server.api.driver import Authenticator, Driver, NoAuth
from mooring_server.background import Cleanup, Operations, WatchHub
from mooring_server.core.policy import POLICY
from mooring_server.errors import InvalidArgument, Unavailable
from mooring_server.settings import Auth, Settings
from mooring_server.store import Store, open_store


@dataclass(frozen=True, slots=True)
class App:
    """A running server. `addresses` are what clients connect to, with the ports that were really taken."""

    addresses: tuple[str, ...]
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
        InvalidArgument: anybody could call as the demo user from elsewhere.
        Unavailable: an address is taken, or the database is not migrated or does not answer.
    """
    addresses = addresses or (tcp_address(settings),)
    if authenticator is None:
        authenticator = _authenticator(settings, addresses)

    store = open_store(settings.database, settings=settings)
    try:
        hub = WatchHub(store, settings)
        store.on_commit = hub.notify
        works = Operations(store, settings)
        cleanup = Cleanup(store, settings)

        driver = Driver(store, settings, authenticator)
        server = grpc.aio.server(options=_options(settings))
        states = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(states, server)
        server.add_generic_rpc_handlers(
            (
                users.handler(driver),
                engagements.handler(driver),
                sessions.handler(driver),
                discovery.handler(driver, works),
                operations.handler(driver, works),
                watch.handler(driver, hub),
            )
        )
        names = sorted({rpc.partition("/")[0] for rpc in POLICY})
        if settings.reflection:
            reflection.enable_server_reflection(
                [*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server
            )
        bound = tuple(_bind(server, address) for address in addresses)

        await server.start()
        try:
            works.start()
            cleanup.start()
            for name in ("", *names):
                await states.set(name, health_pb2.HealthCheckResponse.SERVING)
            yield App(bound, store, driver)
        finally:
            await states.enter_graceful_shutdown()
            # New calls are refused from here on. Watches, and waits for operations, would outlast any
            # grace: ending what they wait for ends them.
            stopping = asyncio.create_task(server.stop(settings.stop_grace_s))
            await hub.close()
            await works.close()
            await stopping
            await cleanup.close()
    finally:
        await store.close()


def tcp_address(settings: Settings) -> str:
    """`host:port` of the settings."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{settings.port}"


def _authenticator(settings: Settings, addresses: Sequence[str]) -> Authenticator:
    match settings.auth:
        case Auth.NONE:
            for address in addresses:
                if not is_local(address):
                    raise InvalidArgument(
                        f"auth: `none` would make everybody who reaches {address} the demo user: it is for "
                        "loopback addresses and Unix sockets alone"
                    )
            return NoAuth()
        case Auth.TOKEN:
            raise InvalidArgument("auth: `token` is not there yet")


def is_local(address: str) -> bool:
    """Whether only this machine's own users reach a gRPC address: a Unix socket's path or loopback."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bind(server: grpc.aio.Server, address: str) -> str:
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:
        raise Unavailable(f"{address} cannot be listened on: it is taken, or not this machine's") from None
    return address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"


def _options(settings: Settings) -> list[tuple[str, int]]:
    pending = settings.pending_requests_max
    return [
        ("grpc.max_receive_message_length", settings.message_size_max_bytes),
        # Pages are bounded by their size; a client says itself what it takes.
        ("grpc.max_send_message_length", -1),
        # A burst of watches waits for its turn rather than being refused.
        ("grpc.server.max_pending_requests", pending),
        ("grpc.server.max_pending_requests_hard_limit", pending),
        # Two servers on one port would each get some of the calls.
        ("grpc.so_reuseport", 0),
    ]
