"""Messages that nobody meant to send: whatever comes, the service answers as itself."""

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from mooring_server.settings import Settings
from support_calls import RECIPES, Scene, upload
from support_server import Caller, HeaderAuth, new_engagement, serving

TEXTS = (
    "", "-", "me", "/", "..", "users/me", "users/-", "engagements/-", "engagements/-/sessions/-",
    "sessions/x", "engagements/" * 20, "a\0b", "\u202e\ufeff\ud7ff", "é" * 300, "x" * 20_000, "%s%n",
    "'; DROP TABLE users; --", "*", "display_name", "labels.a = 'b'", "NOT " * 30 + "a", "(" * 200, '"',
    "a AND", "create_time > \"never\"", "9" * 400, "00000000-0000-0000-0000-000000000000", "1", "-1",
    "2026-02-30", "create_time desc", "2026-01-01T00:00:00Z", "desc", ",", "update_time", "\U0001f600",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 999)
FLAWS = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNIMPLEMENTED}
_SETTINGS = {
    "read_rate": "",
    "write_rate": "",
    "bulk_rate": "",
    "watch_rate": "",
    "operation_wait_max_s": 0.05,
    "page_size_max": 20,
}
# So many mutants come from one valid request.
_BROOD = 25


def _fitting(number: int, field: FieldDescriptor) -> int:
    bits = 31 if field.type in (field.TYPE_INT32, field.TYPE_ENUM, field.TYPE_SINT32) else 63
    return max(-(2**bits), min(2**bits - 1, number))


def scramble(chance: random.Random, message: Any, depth: int = 0) -> None:
    """Gives some fields of a message values that it should not have."""
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.6:
            continue
        if field.is_repeated:
            if field.type == field.TYPE_STRING:
                getattr(message, field.name).extend(chance.choices(TEXTS, k=chance.choice((1, 3, 2_000))))
            elif field.message_type and field.message_type.GetOptions().map_entry:
                for _ in range(chance.choice((1, 70))):
                    getattr(message, field.name)[chance.choice(TEXTS) + str(chance.random())] = "v"
        elif field.type == field.TYPE_STRING:
            setattr(message, field.name, chance.choice(TEXTS))
        elif field.type == field.TYPE_BYTES:
            setattr(message, field.name, chance.randbytes(chance.choice((0, 1, 100_000))))
        elif field.type == field.TYPE_BOOL:
            setattr(message, field.name, chance.random() < 0.5)
        elif field.type == field.TYPE_DOUBLE:
            setattr(message, field.name, chance.choice((float("nan"), float("inf"), -0.0, 1e300)))
        elif field.type == field.TYPE_MESSAGE:
            if depth < 3 and chance.random() < 0.8:
                inner = getattr(message, field.name)
                inner.SetInParent()
                scramble(chance, inner, depth + 1)
            else:
                message.ClearField(field.name)
        else:
            setattr(message, field.name, _fitting(chance.choice(NUMBERS), field))


def garble(chance: random.Random, data: bytes) -> bytes:
    """Breaks a message's bytes."""
    broken = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(broken) + 1)
        match chance.randrange(5):
            case 0 if broken:
                broken[at % len(broken)] ^= 1 << chance.randrange(8)
            case 1:
                del broken[at:]
            case 2:
                broken[at:at] = chance.randbytes(chance.choice((1, 4, 64)))
            case 3:
                broken += broken[:at]
            case _:
                del broken[at : at + chance.choice((1, 3, 10))]
    return bytes(broken)


def mutants(chance: random.Random, request: Message) -> Iterator[bytes]:
    """Requests that differ from a valid one."""
    for _ in range(_BROOD):
        other: Any = type(request)()
        other.CopyFrom(request)
        if chance.random() < 0.6:
            scramble(chance, other)
        data = other.SerializeToString()
        yield garble(chance, data) if chance.random() < 0.5 else data


def send(caller: Caller, rpc: str, data: bytes) -> grpc.StatusCode:
    """The status code that a request gets."""
    try:
        if rpc.endswith(("/Watch", "/ReadAssets", "/ReadDependencies", "/ExportSession")):
            stream = caller.channel.unary_stream(f"/{rpc}")(data, timeout=30)
            next(stream)
            stream.cancel()
        elif rpc.endswith("/UploadInventory"):
            pieces = [data, *(piece.SerializeToString() for piece in list(upload("x"))[1:])]
            caller.channel.stream_unary(f"/{rpc}")(iter(pieces), timeout=30)
        else:
            caller.raw(rpc, data)
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


def test_mutated_messages(tmp_path: Path, size: Callable[[int, int], int], figure: Any) -> None:
    """No bytes make the service fail or answer with a fault of its own."""
    wanted = size(3_000, 100_000)
    seed = random.randrange(2**32)
    settings = Settings(database=f"sqlite:///{tmp_path}/mooring.db", port=0, **_SETTINGS)
    outcomes: Counter[str] = Counter()
    flaws: list[tuple[str, str, bytes]] = []
    with serving(settings, authenticator=HeaderAuth()) as server, ThreadPoolExecutor(8) as threads:

        def brood(number: int) -> None:
            rpc = list(RECIPES)[number % len(RECIPES)]
            chance = random.Random(seed + number)
            # An engagement of its own: mutants that are answered may archive it or throw everybody out.
            owner = server.user(uuid.uuid4().hex)
            scene = Scene(owner, new_engagement(owner, "Own").name, lambda: server.user(uuid.uuid4().hex))
            for data in mutants(chance, RECIPES[rpc].build(scene)):
                code = send(owner, rpc, data)
                outcomes[code.name] += 1
                if code in FLAWS:
                    flaws.append((rpc, code.name, data))

        for _ in threads.map(brood, range(-(-wanted // _BROOD))):
            pass
        new_engagement(server.user("survivor"), "Still there")
    assert not flaws, (seed, len(flaws), flaws[:5])
    figure(
        f"{outcomes.total():,} mutated messages over {len(RECIPES)} RPCs",
        "0 INTERNAL, 0 UNKNOWN, 0 crashes; "
        + ", ".join(f"{n:,} {code}" for code, n in outcomes.most_common()),
    )
