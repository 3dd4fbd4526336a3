"""What read transactions look up again and again, kept in memory: users, tokens, roles, engagements.

A value is kept under the stream that carries every change of it, and with the revision that the stream had
then, so the change log says when it is stale. A commit of this process drops its streams' values before its
answer leaves; `Store.refresh` finds what other processes have committed. Writes never look here: what they
decide by is read in their own transaction.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from mooring_server.metrics import Metrics

MISSING: Any = object()

_BUCKETS = 1_024


@dataclass(frozen=True, slots=True)
class _Entry:
    value: Any
    stream: str
    kept_at: int


@dataclass(slots=True)
class _Stream:
    revision: int | None
    keys: set[Hashable] = field(default_factory=set)


class LookupCache:
    """At most `size_max` values, those used last; 0 keeps none. Every method may be called on any thread."""

    def __init__(self, size_max: int, metrics: Metrics) -> None:
        self._size_max = size_max
        self._metrics = metrics
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._streams: dict[str, _Stream] = {}
        # Counts the drops and comparisons: the cache's own clock. By the hash of a stream, when it was last
        # dropped: two streams of one bucket cost a value that is not kept, never a stale one.
        self._clock = 0
        self._dropped = [0] * _BUCKETS
        self._compared = 0

    def lookups(self) -> "Lookups | None":
        """The cache for a read transaction that begins now; None where nothing is kept."""
        return Lookups(self, self._clock) if self._size_max else None

    def drop(self, streams: Iterable[str]) -> None:
        """Forgets what is on these streams. What a transaction has read before is not kept any more."""
        with self._lock:
            self._clock += 1
            for stream in streams:
                self._dropped[hash(stream) % _BUCKETS] = self._clock
                self._forget(stream)

    def clear(self) -> None:
        """Forgets everything, as for another database."""
        with self._lock:
            self._clock += 1
            self._dropped = [self._clock] * _BUCKETS
            self._entries.clear()
            self._streams.clear()

    def compare(self) -> dict[str, int | None]:
        """The streams of what is kept, and their revision then: to be compared with the log now.

        What a transaction of before this moment has read, and keeps later, would escape: it is not kept.
        """
        with self._lock:
            self._clock += 1
            self._compared = self._clock
            return {stream: known.revision for stream, known in self._streams.items()}

    def _find(self, name: str, key: Hashable, began_at: int) -> Any:
        with self._lock:
            entry = self._entries.get(key)
            # What was kept after a commit may be younger than the state that this transaction sees.
            hit = entry is not None and entry.kept_at <= began_at
            if hit:
                self._entries.move_to_end(key)
        self._metrics.cache(name, hit)
        return MISSING if entry is None or not hit else entry.value

    def _keep(self, key: Hashable, value: Any, stream: str, revision: int | None, began_at: int) -> None:
        with self._lock:
            if began_at < max(self._compared, self._dropped[hash(stream) % _BUCKETS]):
                return  # read before what would have dropped it
            known = self._streams.get(stream)
            if known is not None and known.revision != revision:
                # Another process has committed between two transactions: the next refresh tells which is new.
                return
            if known is None:
                known = self._streams[stream] = _Stream(revision)
            known.keys.add(key)
            self._entries[key] = _Entry(value, stream, self._clock)
            self._entries.move_to_end(key)
            if len(self._entries) > self._size_max:
                evicted, entry = self._entries.popitem(last=False)
                of_stream = self._streams[entry.stream]
                of_stream.keys.discard(evicted)
                if not of_stream.keys:
                    del self._streams[entry.stream]

    def _forget(self, stream: str) -> None:
        known = self._streams.pop(stream, None)
        for key in known.keys if known else ():
            del self._entries[key]


class Lookups:
    """The cache as one read transaction sees it."""

    def __init__(self, cache: LookupCache, began_at: int) -> None:
        self._cache = cache
        self._began_at = began_at

    def find(self, name: str, key: Hashable) -> Any:
        """The value kept under that name and key, else MISSING; counted as a hit or a miss of `name`."""
        return self._cache._find(name, (name, key), self._began_at)

    def keep(self, name: str, key: Hashable, value: Any, stream: str, revision: int | None) -> None:
        """Keeps what the transaction has read, in the same state as the stream's revision (None: no such)."""
        self._cache._keep((name, key), value, stream, revision, self._began_at)
