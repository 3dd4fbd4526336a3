"""Whether anybody looks: which pages show this kernel's widgets, as their heartbeats tell."""

import logging
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)

_FORGOTTEN_AFTER_S = 10.0


class Presence:
    """The pages of one workspace. Lives on the loop.

    Before a page was ever heard of somebody is taken to look: a script has no pages.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._heard: dict[str, float] = {}
        self._looking = True
        self._listeners: list[Callable[[bool], None]] = []

    @property
    def looking(self) -> bool:
        """Whether a page can be seen, as far as was told."""
        return self._looking

    def subscribe(self, listener: Callable[[bool], None]) -> None:
        """Calls `listener(looking)` when somebody looks again, and when the last page was hidden.

        A page that was not heard of for ten seconds is gone or slept; when one is heard again after that,
        listeners are called with True too.
        """
        self._listeners.append(listener)

    def heard(self, page: str, *, visible: bool) -> None:
        """Takes in what the heartbeat of a page says."""
        now = self._now()
        slept = bool(self._heard) and now - max(self._heard.values()) > _FORGOTTEN_AFTER_S
        self._heard = {
            known: when
            for known, when in self._heard.items()
            if known != page and now - when <= _FORGOTTEN_AFTER_S
        }
        if visible:
            self._heard[page] = now
        before, self._looking = self._looking and not slept, bool(self._heard)
        if before != self._looking:
            self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(self._looking)
            except Exception:
                _log.exception("a listener of the pages failed")
