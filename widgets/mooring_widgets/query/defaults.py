"""Options by key: what holds for all queries, or mutations, whose keys begin alike."""

from collections.abc import Iterable, Mapping
from typing import Any

from mooring_widgets.query.keys import KeyHash, QueryKey, hash_key, matches


class KeyDefaults:
    """Holds options for key prefixes. Where several match, the one that was set later wins.

    Args:
        names: Which options there are.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._by_prefix: dict[KeyHash, dict[str, Any]] = {}

    def set(self, prefix: QueryKey, options: Mapping[str, Any]) -> None:
        """Put options in place of what was set for this prefix; TypeError where there is no such option."""
        if unknown := sorted(options.keys() - self._names):
            raise TypeError(f"{unknown[0]} cannot be set by key, only {', '.join(sorted(self._names))}")
        self._by_prefix[hash_key(prefix)] = dict(options)

    def get(self, key: QueryKey) -> dict[str, Any]:
        """Return what holds for a key."""
        found: dict[str, Any] = {}
        if self._by_prefix:
            key_hash = hash_key(key)
            for prefix, options in self._by_prefix.items():
                if matches(key_hash, prefix):
                    found.update(options)
        return found
