"""GetLandscape: sums over data versions, computed at the first question and kept until the data changes."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from typing import Any

import grpc
from mooring.v1 import landscape_pb2

from mooring_server.api.calls import decode
from mooring_server.api.driver import Driver
from mooring_server.core import landscape, sessions
from mooring_server.core.landscape import Computed, Landscape
from mooring_server.core.names import Kind
from mooring_server.errors import MooringError
from mooring_server.store import Tx
from mooring_server.store.records import DataVersion

# Answers kept ready, by session and what it shows; each may have some hundred KiB. Of one life of the
# database: after a restore other edits may lead to the same revision.
_ANSWERS_MAX = 64
_RPC = "mooring.v1.DiscoveryService/GetLandscape"


class Landscapes:
    """Answers GetLandscape. However many ask at once, one computes for all, whoever hangs up meanwhile."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._store = driver.store
        self._running: dict[str, asyncio.Task[Computed]] = {}
        self._answers: OrderedDict[tuple[str, str, str], bytes] = OrderedDict()

    def handler(self) -> grpc.RpcMethodHandler[Any, Any]:
        """The handler of the method."""
        return grpc.unary_unary_rpc_method_handler(self._driver.guarded(_RPC, self._get))

    async def _get(self, data: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        request = decode(landscape_pb2.GetLandscapeRequest, data)
        admission = self._driver.admission(_RPC, await self._driver.identify(context))

        def shown(tx: Tx) -> tuple[str, str]:
            name = admission(tx, request.name)
            engagement_id, session_id = Kind.LANDSCAPE.ids(name)
            return name, sessions.get(tx, engagement_id, session_id).data_label

        # Of an unchanged version this read by key is all there is to do.
        incarnation = self._store.incarnation
        name, label = await self._store.read(shown)
        key = incarnation, name, label
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        label, answer = await self._answer(name)
        self._answers[incarnation, name, label] = answer
        if len(self._answers) > _ANSWERS_MAX:
            self._answers.popitem(last=False)
        return answer

    async def _answer(self, name: str) -> tuple[str, bytes]:
        def look(tx: Tx) -> tuple[DataVersion | None, bytes]:
            version, found = landscape.find(tx, *Kind.LANDSCAPE.ids(name))
            return version, b"" if found is None else _pack(name, version, found)

        version, answer = await self._store.read(look, long=True)
        if version is not None and not answer:
            computed = await self._computed(version)
            version = computed.version
            answer = await asyncio.to_thread(_pack, name, version, computed.landscape)
        return "" if version is None else version.label, answer

    async def _computed(self, version: DataVersion) -> Computed:
        """The landscape of the version in this revision or a later one.

        One is computed at a time for each version, however fast that is edited. What fails for another
        caller is tried again for this one.
        """
        while True:
            task = self._running.get(version.id)
            # One that is done is not waited for: awaiting it gives way to nobody, so this would go round for
            # ever where its answer does not do.
            begun = task is None or task.done()
            if task is None or task.done():
                task = self._running[version.id] = asyncio.create_task(self._compute(version.id))
                task.add_done_callback(lambda task: self._ended(version.id, task))
            try:
                computed = await asyncio.shield(task)
            except Exception:
                if begun:
                    raise
            else:
                if begun or computed.version.revision >= version.revision:
                    return computed

    async def _compute(self, version_id: str) -> Computed:
        computed = await self._store.read(lambda tx: landscape.compute(tx, version_id), long=True)
        # Where this fails, the next question computes it again.
        with contextlib.suppress(MooringError):
            await self._store.write(lambda tx: landscape.keep(tx, computed), durable=False)
        return computed

    def _ended(self, version_id: str, task: asyncio.Task[Computed]) -> None:
        if self._running[version_id] is task:
            del self._running[version_id]
        if not task.cancelled():
            task.exception()  # looked at: everybody may have hung up


def _pack(name: str, version: DataVersion | None, found: Landscape) -> bytes:
    session = Kind.LANDSCAPE.ids(name)

    def named(reference: dict[str, str]) -> dict[str, str]:
        return {**reference, "asset": Kind.ASSET.of(*session, reference["asset"])}

    dependencies = found["dependencies"]
    packed = {
        **found,
        "applications": [
            {**each, "servers": [named(server) for server in each["servers"]]}
            for each in found["applications"]
        ],
        "dependencies": {
            **dependencies,
            "degrees": [{**each, "asset": named(each["asset"])} for each in dependencies["degrees"]],
        },
    }
    label = "" if version is None else version.label
    return landscape_pb2.Landscape(name=name, data_version=label, **packed).SerializeToString()
