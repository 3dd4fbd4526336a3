"""What the service counts and times, for Prometheus.

One `Metrics` belongs to one running server and has a registry of its own, so that two servers in one process
do not add up. No label ever holds what callers choose (a user, a name, an unknown method): each has as many
values as the code gives it.
"""

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

_CALL = ("grpc_type", "grpc_service", "grpc_method")
_CALL_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
_STORE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_BATCH_WRITES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

CallType = Literal["unary", "client_stream", "server_stream", "bidi_stream"]
StoreVerb = Literal["read", "write"]


class Metrics:
    """Every metric of one server. All methods are cheap and may be called from any thread."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._started = Counter("grpc_server_started", "Calls that began", _CALL, registry=registry)
        self._handled = Counter(
            "grpc_server_handled",
            "Calls that ended, by status code",
            (*_CALL, "grpc_code"),
            registry=registry,
        )
        self._received = Counter(
            "grpc_server_msg_received", "Messages that callers sent", _CALL, registry=registry
        )
        self._sent = Counter(
            "grpc_server_msg_sent", "Messages that callers were sent", _CALL, registry=registry
        )
        self._seconds = Histogram(
            "grpc_server_handling_seconds",
            "How long calls took, streams from open to end",
            _CALL,
            buckets=_CALL_SECONDS,
            registry=registry,
        )
        self._in_flight = Gauge("mooring_calls_in_flight", "Calls that are open", _CALL, registry=registry)
        self._refusals = Counter(
            "mooring_refusals", "Calls that were refused, by the reason told", ["reason"], registry=registry
        )
        self._rate_limited = Counter(
            "mooring_rate_limited", "Calls that came too fast, by class", ["rate"], registry=registry
        )
        self.watches_open = Gauge("mooring_watches_open", "Watches that are open", registry=registry)
        self._changes_sent = Counter(
            "mooring_watch_changes_sent", "Changes that watches were sent", registry=registry
        )
        self._cache = Counter(
            "mooring_cache_requests",
            "Look-ups in what is kept in memory",
            ["cache", "result"],
            registry=registry,
        )
        self._queue_seconds = Histogram(
            "mooring_store_queue_seconds",
            "How long work waited for its turn at the database",
            ["verb"],
            buckets=_STORE_SECONDS,
            registry=registry,
        )
        self._commit_seconds = Histogram(
            "mooring_store_commit_seconds",
            "How long the database took to commit",
            buckets=_STORE_SECONDS,
            registry=registry,
        )
        self._batch_writes = Histogram(
            "mooring_store_batch_writes",
            "Writes that shared a commit of SQLite",
            buckets=_BATCH_WRITES,
            registry=registry,
        )
        self._import_rows = Counter(
            "mooring_import_rows",
            "Rows of imported files, by what became of them",
            ["outcome"],
            registry=registry,
        )
        self._queued = {verb: self._queue_seconds.labels(verb) for verb in ("read", "write")}

    def calls(self, rpc: str, type_: CallType) -> "CallMetrics":
        """The metrics of one RPC (`package.Service/Method`); look them up once."""
        return CallMetrics(self, rpc, type_)

    def refused(self, reason: str) -> None:
        """A call was refused for a `mooring.v1.ErrorReason`."""
        self._refusals.labels(reason).inc()

    def rate_limited(self, rate: str) -> None:
        """A call was over its caller's rate of that class."""
        self._rate_limited.labels(rate).inc()

    def changes_sent(self, count: int) -> None:
        """A watch was sent so many changes."""
        self._changes_sent.inc(count)

    def cache(self, name: str, hit: bool) -> None:
        """A look-up in a cache of the process was answered from memory, or not."""
        self._cache.labels(name, "hit" if hit else "miss").inc()

    def queued(self, verb: StoreVerb, seconds: float) -> None:
        """Work waited so long for its turn at the database."""
        self._queued[verb].observe(seconds)

    def committed(self, seconds: float) -> None:
        """A commit took so long."""
        self._commit_seconds.observe(seconds)

    def batched(self, writes: int) -> None:
        """So many writes shared a commit."""
        self._batch_writes.observe(writes)

    def imported(self, outcome: str, rows: int) -> None:
        """A finished import did that with so many rows of its file."""
        self._import_rows.labels(outcome).inc(rows)


class CallMetrics:
    """The metrics of one RPC, its labels resolved."""

    def __init__(self, metrics: Metrics, rpc: str, type_: CallType) -> None:
        service, _, method = rpc.partition("/")
        self._labels = labels = (type_, service, method)
        self._handled = metrics._handled
        self._by_code: dict[str, Counter] = {}
        self._started = metrics._started.labels(*labels)
        self._seconds = metrics._seconds.labels(*labels)
        self._in_flight = metrics._in_flight.labels(*labels)
        self.received = metrics._received.labels(*labels).inc
        self.sent = metrics._sent.labels(*labels).inc

    def began(self) -> None:
        """A call began."""
        self._started.inc()
        self._in_flight.inc()

    def ended(self, code: str, seconds: float) -> None:
        """A call that began has ended with a status code (`OK`, `NOT_FOUND`)."""
        self._in_flight.dec()
        handled = self._by_code.get(code)
        if handled is None:
            handled = self._by_code[code] = self._handled.labels(*self._labels, code)
        handled.inc()
        self._seconds.observe(seconds)
