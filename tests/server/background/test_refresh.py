"""The refresh: what other processes do is noticed, and a fault ends nothing."""

import asyncio

import pytest
from mooring_server.background import Refresh
from mooring_server.errors import Unavailable
from mooring_server.settings import Settings

FAST = Settings(lookup_refresh_s=0.001)


class Store:
    """Answers these, one for each refresh, and then that nothing has happened."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked_in_vain = asyncio.Event()

    async def refresh(self):
        if not self.answers:
            self.asked_in_vain.set()
            return False
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize("fault", [Unavailable("the database does not answer"), RuntimeError("a bug")])
def test_a_fault_is_not_the_end(fault):
    """A refresh that fails is tried again, and what it then finds is told once."""

    async def run():
        told = []
        store = Store(False, fault, True, False)
        refresh = Refresh(store, FAST, lambda: told.append(True))
        refresh.start()
        await asyncio.wait_for(store.asked_in_vain.wait(), 30)
        await refresh.close()
        assert told == [True]

    asyncio.run(run())
