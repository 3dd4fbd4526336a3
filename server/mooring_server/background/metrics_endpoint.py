"""Where Prometheus reads the metrics: plain HTTP, without TLS and without a caller's identity."""

import asyncio
import threading
from wsgiref.simple_server import WSGIServer

from prometheus_client import start_http_server

from mooring_server.errors import Unavailable
from mooring_server.metrics import Metrics


class MetricsEndpoint:
    """Answers at `host:port`; at an empty address it does nothing. `address` has the port really taken."""

    def __init__(self, metrics: Metrics, address: str) -> None:
        self.address = address
        self._metrics = metrics
        self._running: tuple[WSGIServer, threading.Thread] | None = None

    def start(self) -> None:
        """Begins to answer, in threads of its own.

        Raises:
            Unavailable: the address is taken, or not this machine's.
        """
        if not self.address:
            return
        host, _, port = self.address.rpartition(":")
        try:
            self._running = start_http_server(int(port), host.strip("[]"), self._metrics.registry)
        except OSError:
            raise Unavailable(
                f"metrics_address: {self.address} cannot be listened on: it is taken, or not this machine's"
            ) from None
        self.address = f"{host}:{self._running[0].server_port}"

    async def close(self) -> None:
        """Stops answering."""
        if self._running is not None:
            server, thread = self._running
            await asyncio.to_thread(server.shutdown)
            server.server_close()
            thread.join()
