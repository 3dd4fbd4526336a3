"""How often one user may call, and how many watches they may have open. Counted in this process alone."""

import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from limits import RateLimitItem, parse_many

from mooring_server.core.policy import RateClass
from mooring_server.errors import ResourceExhausted
from mooring_server.metrics import Metrics
from mooring_server.settings import Settings

_TOLERANCE_S = 1e-6  # of adding up fractions
_SWEEP_MIN = 1_024


class Allowance:
    """One rate: so many calls at once, and each comes back evenly over the period.

    This is the generic cell rate algorithm: one number for each user. (The `limits` library, whose notation
    the settings have, keeps its counts with a timer thread of its own, which cost 0.2 ms a call here.)
    """

    def __init__(self, item: RateLimitItem) -> None:
        self.text = str(item)
        self._period_s = item.get_expiry()
        self._each_s = self._period_s / item.amount
        # By user: when all of it has come back.
        self._whole_at: dict[str, float] = {}
        self._sweep_at = _SWEEP_MIN

    def take(self, user_id: str, now_s: float) -> float:
        """Takes one call, if there is one. Answers how long to wait for one, 0 where it was taken."""
        whole_at = max(self._whole_at.get(user_id, now_s), now_s) + self._each_s
        wait_s = whole_at - now_s - self._period_s
        if wait_s > _TOLERANCE_S:
            return wait_s
        self._whole_at[user_id] = whole_at
        if len(self._whole_at) >= self._sweep_at:
            self._whole_at = {user: at for user, at in self._whole_at.items() if at > now_s}
            self._sweep_at = max(_SWEEP_MIN, 2 * len(self._whole_at))
        return 0.0

    def __len__(self) -> int:
        """How many users are kept in mind."""
        return len(self._whole_at)


class Rates:
    """The limits of `Settings` for each user and class of calls."""

    def __init__(
        self, settings: Settings, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        texts = {rate: getattr(settings, f"{rate}_rate") for rate in RateClass}
        self._allowances: Mapping[RateClass, list[Allowance]] = {
            rate: [Allowance(item) for item in parse_many(text)] if text else []
            for rate, text in texts.items()
        }
        self._metrics = metrics
        self._clock = clock
        self._watches: Counter[str] = Counter()
        self._watches_max = settings.watches_per_user_max

    def take(self, user_id: str, rate: RateClass) -> ResourceExhausted | None:
        """Counts one call. Answers the refusal where it is one too many, to be raised in its turn."""
        for allowance in self._allowances[rate]:
            if wait_s := allowance.take(user_id, self._clock()):
                self._metrics.rate_limited(rate)
                return ResourceExhausted(
                    f"more than {allowance.text} of these calls (setting `{rate}_rate`): wait as long as "
                    "`RetryInfo` says",
                    reason="RATE_LIMITED",
                    retry_after_s=math.ceil(wait_s * 1_000) / 1_000,
                )
        return None

    @asynccontextmanager
    async def watching(self, user_id: str) -> AsyncIterator[None]:
        """Counts a watch for as long as it is open.

        Raises:
            ResourceExhausted: it is one too many; closing another helps, waiting does not.
        """
        if self._watches[user_id] >= self._watches_max:
            raise ResourceExhausted(
                f"you have {self._watches_max:,} watches open (setting `watches_per_user_max`): name more "
                "streams in one watch, or close others"
            )
        self._watches[user_id] += 1
        self._metrics.watches_open.inc()
        try:
            yield
        finally:
            self._metrics.watches_open.dec()
            self._watches[user_id] -= 1
            if not self._watches[user_id]:
                del self._watches[user_id]
