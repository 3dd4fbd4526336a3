"""Watchers that leave, lag and lose their server: each gets every commit of its streams once, in order.

They are held against the change log itself, from the revisions that they started at to the last.
"""

import asyncio
import random
import uuid
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import grpc
from mooring.v1 import sessions_pb2, sessions_pb2_grpc, watch_pb2, watch_pb2_grpc
from mooring_server.settings import Settings
from mooring_server.store import Store, Tx, open_store
from support_engagements import ANALYST, add, me
from support_evidence import kind
from support_process import Process
from support_server import create, new_engagement

ENGAGEMENTS = 5
WATCHED = 3  # of them, and the watcher's own user
# And these, in which nothing happens: they make tokens long, so that few messages fill a connection.
QUIET = 60
WRITERS = 4
READ_MAX = 40  # messages between two reconnects
SLOW_EVERY = 4  # reconnects: the watcher does not leave then, but lets so many commits wait
SLOW_COMMITS = 200
DEADLINE_S = 1_800
SETTINGS = {"read_rate": "", "write_rate": "", "watch_rate": "", "watch_queue_max": 20, "stop_grace_s": 1}
# What a slow reader leaves has to fill the connection first: here it takes little.
NARROW = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 1_024)]
PATIENT = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200)]

Size = Callable[[Any, Any], Any]
Figure = Callable[[str, str], None]
# By stream, in the order in which they came: the commits' revisions, and what each changed.
Seen = dict[str, list[tuple[int, tuple[str, ...]]]]


class Progress:
    """What has happened so far, for those who wait for more."""

    def __init__(self) -> None:
        self.commits = 0
        self.is_over = False
        self._moved = asyncio.Condition()

    async def note(self, commits: int = 0) -> None:
        """Something has happened."""
        self.commits += commits
        async with self._moved:
            self._moved.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for the condition, looking whenever something happens."""
        async with self._moved:
            await self._moved.wait_for(condition)


class Watcher:
    """One watch, taken up again and again with the token that was read last."""

    def __init__(self, name: str, streams: list[str], reconnects: int, progress: Progress) -> None:
        self.name = name
        self.metadata = [("user", name), ("scope", "admin")]
        self.streams = streams
        self.seen: Seen = {stream: [] for stream in streams}
        self.reconnects = 0
        self.cut_off = 0
        self.token = ""
        self._wanted = reconnects
        self._progress = progress
        self._chance = random.Random(name)

    @property
    def is_steady(self) -> bool:
        """Whether it has left as often as it should, and only reads from now on."""
        return self.reconnects >= self._wanted

    async def run(self, address: str) -> None:
        """Watches until it is cancelled."""
        async with grpc.aio.insecure_channel(address, options=[*NARROW, *PATIENT]) as channel:
            stub = watch_pb2_grpc.WatchServiceStub(channel)
            while True:
                request = watch_pb2.WatchRequest(streams=self.streams, resume_token=self.token)
                call: Any = stub.Watch(request, metadata=self.metadata, wait_for_ready=True)
                try:
                    await self._read(call)
                except grpc.aio.AioRpcError as error:
                    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                        self.cut_off += 1
                    elif error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise
                finally:
                    call.cancel()
                self.reconnects += 1
                await self._progress.note()

    async def _read(self, call: Any) -> None:
        """Reads some messages; then it leaves, or reads nothing for a while and then what there is."""
        left, slow = self._chance.randint(1, READ_MAX), self.reconnects % SLOW_EVERY == 0
        async for message in call:
            self._take(message)
            await self._progress.note()
            left -= bool(message.changes)
            if left > 0 or self.is_steady:
                continue
            if not slow:
                return
            left, slow = 2 * SLOW_COMMITS, False
            wanted = self._progress.commits + SLOW_COMMITS
            await self._progress.until(lambda wanted=wanted: self._progress.commits >= wanted)

    def _take(self, message: watch_pb2.WatchResponse) -> None:
        self.token = message.resume_token
        if message.changes:
            ((stream, revision),) = {(change.stream, change.revision) for change in message.changes}
            self.seen[stream].append((revision, tuple(change.resource for change in message.changes)))


async def write(address: str, watchers: Sequence[Watcher], progress: Progress, seed: int) -> None:
    """Makes sessions and switches to them, as the watchers' users, until it is over."""
    chance = random.Random(seed)
    async with grpc.aio.insecure_channel(address, options=PATIENT) as channel:
        stub: Any = sessions_pb2_grpc.SessionServiceStub(channel)
        while not progress.is_over:
            watcher = chance.choice(watchers)
            options: Any = {"metadata": watcher.metadata, "wait_for_ready": True}
            request = create(chance.choice(watcher.streams[:WATCHED]), uuid.uuid4().hex)
            try:
                session = await stub.CreateSession(request, **options)
                await stub.SwitchSession(sessions_pb2.SwitchSessionRequest(name=session.name), **options)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            else:
                await progress.note(2)


def gather(process: Process, watchers: int, reconnects: int, progress: Progress) -> list[Watcher]:
    """The watchers, each a user who works in some of the engagements."""
    chance, found = random.Random(watchers), []
    with process.user("owner") as owner:
        engagements, quiet = (
            [new_engagement(owner).name for _ in range(count)] for count in (ENGAGEMENTS, QUIET)
        )
        for number in range(watchers):
            name = f"watcher-{number}"
            with process.user(name) as caller:
                chosen = chance.sample(engagements, WATCHED)
                for engagement in chosen:
                    add(owner, engagement, caller, ANALYST)
                streams = [*chosen, me(caller).name, *quiet]
            found.append(Watcher(name, streams, reconnects // watchers, progress))
    return found


async def log_after(store: Store, starts: dict[str, int]) -> Seen:
    """What the change log says."""

    def read(tx: Tx) -> Seen:
        return {
            stream: [
                (revision, tuple(change.resource for change in changes))
                for revision, changes in groupby(
                    tx.changes.after(stream, start, 1_000_000), key=lambda change: change.revision
                )
            ]
            for stream, start in starts.items()
        }

    return await store.read(read, long=True)


async def race(
    process: Process, store: Store, watchers: int, reconnects: int, restarts: int
) -> tuple[Any, ...]:
    """Runs it all; the watchers, what the log says, and how many restarts there were."""
    progress = Progress()
    gathered = await asyncio.to_thread(gather, process, watchers, reconnects, progress)
    starts = await store.read(
        lambda tx: tx.changes.heads({stream for watcher in gathered for stream in watcher.streams}), long=True
    )
    async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
        watching = [tasks.create_task(watcher.run(process.address)) for watcher in gathered]
        await progress.until(lambda: all(watcher.token for watcher in gathered))
        writing = [
            tasks.create_task(write(process.address, gathered, progress, seed)) for seed in range(WRITERS)
        ]
        for number in range(restarts):
            due = reconnects * (number + 1) // (restarts + 1)
            await progress.until(lambda due=due: sum(watcher.reconnects for watcher in gathered) >= due)
            await asyncio.to_thread(process.kill)
            await asyncio.to_thread(process.start)
        await progress.until(lambda: all(watcher.is_steady for watcher in gathered))
        progress.is_over = True
        await asyncio.wait(writing)
        log = await log_after(store, starts)
        last = {stream: commits[-1][0] if commits else 0 for stream, commits in log.items()}
        await progress.until(
            lambda: all(
                (commits[-1][0] if commits else 0) >= last[stream]
                for watcher in gathered
                for stream, commits in watcher.seen.items()
            )
        )
        for task in watching:
            task.cancel()
    return gathered, log


def test_watchers_miss_and_repeat_nothing(
    tmp_path: Path, database_url: str, size: Size, figure: Figure
) -> None:
    """Through reconnects, slowness and SIGKILLs of the server: 0 missed, 0 twice, 0 out of order."""
    watchers, reconnects, restarts = size((4, 12, 1), (50, 1_000, 10))
    process = Process(database_url, f"unix:{tmp_path}/s", **SETTINGS)
    process.start()
    try:

        async def run() -> tuple[Any, ...]:
            store = open_store(database_url, settings=Settings())
            try:
                return await race(process, store, watchers, reconnects, restarts)
            finally:
                await store.close()

        gathered, log = asyncio.run(run())
    finally:
        process.kill()
    missed = repeated = unordered = received = 0
    for watcher in gathered:
        for stream, commits in watcher.seen.items():
            received += len(commits)
            revisions = [revision for revision, _ in commits]
            missed += len(set(log[stream]) - set(commits))
            repeated += len(revisions) - len(set(revisions))
            unordered += revisions != sorted(revisions)
            assert set(commits) <= set(log[stream]), f"{watcher.name} got what is not in the log of {stream}"
    cut_off = sum(watcher.cut_off for watcher in gathered)
    assert cut_off > 0, "nobody was slow enough"
    assert (missed, repeated, unordered) == (0, 0, 0)
    reconnected = sum(watcher.reconnects for watcher in gathered)
    figure(
        f"{reconnected:,} reconnects of {watchers} watchers, {cut_off} of them cut off for slowness, "
        f"{restarts} SIGKILLs of the server on {kind(database_url)}",
        f"{received:,} commits received: 0 missed, 0 repeated, 0 out of order",
    )
