"""How fast a session's assets are read as Arrow, for the first time and again.

`raw_s` is the yardstick: the same bytes from a ready file, sent by a gRPC server that does nothing else, in a
process of its own, in messages of the same kind and size.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grpc
import uvloop
from mooring.v1 import assets_pb2, discovery_pb2_grpc

_READS = 7
_PIECE_BYTES = 2**20
_RAW = "/bench.Raw/Read"
_OPTIONS = [("grpc.max_receive_message_length", 8 * _PIECE_BYTES)]


def measure(address: str, session: str) -> dict[str, float]:
    """Reads all assets of a session, which nobody has read before.

    Answers `rows`, `bytes`, `first_s`, and the medians `again_s` and `raw_s`.
    """
    request = assets_pb2.ReadAssetsRequest(parent=session)
    with tempfile.TemporaryDirectory(prefix="mooring-bench-") as folder:
        file = Path(folder) / "assets.arrows"
        with grpc.insecure_channel(address, options=_OPTIONS) as channel:
            read = discovery_pb2_grpc.DiscoveryServiceStub(channel).ReadAssets
            rows, first_s = 0, time.perf_counter()
            with file.open("wb") as kept:
                for part in read(request):
                    rows = rows or part.header.row_count
                    kept.write(part.data)
            first_s = time.perf_counter() - first_s
            again_s = [_taken_s(read(request)) for _ in range(_READS)]
        raw_s = _measured_raw(file)
        size = file.stat().st_size
    return {
        "rows": rows,
        "bytes": size,
        "first_s": first_s,
        "again_s": statistics.median(again_s),
        "raw_s": statistics.median(raw_s),
    }


def _taken_s(parts: Iterable[Any]) -> float:
    begun_s = time.perf_counter()
    for part in parts:
        len(part.data)
    return time.perf_counter() - begun_s


def _measured_raw(file: Path) -> list[float]:
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
        [sys.executable, __file__, str(file)], stdout=subprocess.PIPE, text=True
    )
    try:
        port = process.stdout.readline().strip() if process.stdout else ""
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS) as channel:
            read = channel.unary_stream(_RAW, response_deserializer=assets_pb2.ReadAssetsResponse.FromString)
            return [_taken_s(read(b"")) for _ in range(_READS)]
    finally:
        process.kill()
        process.wait()


async def _send(file: Path) -> None:
    async def read(_: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        with file.open("rb") as opened:
            while piece := opened.read(_PIECE_BYTES):
                await context.write(assets_pb2.ReadAssetsResponse(data=piece).SerializeToString())

    _, service, method = _RAW.split("/")
    server = grpc.aio.server(options=[("grpc.max_send_message_length", -1)])
    handlers = {method: grpc.unary_stream_rpc_method_handler(read)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(_send(Path(sys.argv[1])))
