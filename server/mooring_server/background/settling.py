"""The portions of a merge: the first is settled here, all others in a process of their own."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from mooring_server.background import frames, processes
from mooring_server.core.merges import Plan
from mooring_server.core.settling import Portion, portion
from mooring_server.store import Store
from mooring_server.store.values import to_us

_PROCESS = "mooring_server.background.settling_process"


@dataclass(frozen=True, slots=True)
class Settling:
    """A merge of two data versions; `now` is when what it changes was changed."""

    store: Store
    target_id: str
    source_id: str
    plan: Plan
    now: datetime

    async def portions(self, kind: str, limit: int) -> AsyncGenerator[Portion]:
        """All portions of `assets` or `dependencies`, each of at most so many pairs, in the order of ids.

        Raises:
            RuntimeError: the process died.
        """
        # Most merges end with it, and a process takes half a second to start.
        first = await self.store.read(
            lambda tx: portion(tx, kind, self.target_id, self.source_id, None, limit, self.plan, self.now),
            long=True,
        )
        yield first
        if first.until is None:
            return
        order = {
            "url": self.store.url,
            "kind": kind,
            "target_id": self.target_id,
            "source_id": self.source_id,
            "after": first.until,
            "limit": limit,
            "plan": self.plan.to_json(),
            "now_us": to_us(self.now),
        }
        async with processes.running(_PROCESS, order=order, about=f"{kind} of a merge") as process:
            is_last = False
            while not is_last:
                line = await process.line()
                if not line.endswith(b"\n"):
                    raise RuntimeError(f"the settling process died ({await process.status()})")
                _, payload = frames.from_line(line)
                made = frames.portion_from_json(payload)
                is_last = made.until is None
                yield made
