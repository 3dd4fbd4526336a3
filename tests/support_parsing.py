"""A reader that does to its process what a hostile file could, and a server-like process to be killed.

The reader is a plug-in: it is found by the process that reads a file, as any plug-in is.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from mooring_server.ingest import ReadOptions

KIND = "misbehaving"
BY_PLUGIN = ReadOptions(kind=KIND)

_PLUGIN = """
import ctypes
import os
import signal
import subprocess
import sys
import threading
from mooring_server.ingest import AssetRow, DependencyRow, End, Inventory, Reader, RejectedRow

def asset(number, text="", **more):
    name = f"web-{number}"
    return AssetRow("", number, f"name:{name}", "server", {"display_name": name}, {"text": text}, **more)

def link(number, text=""):
    source, target = End(name="web-1", ip_address="10.0.0.1"), End(ip_address=f"10.0.1.{number}")
    return DependencyRow("", number, source, target, "flow", port=443, attributes={"text": text})

def allocate():
    held = []
    while True:
        held.append(bytearray(2**24))
    yield

def spin():
    while True:
        pass
    yield

def hang():
    yield asset(1)
    threading.Event().wait()

def endless():
    number = 0
    while True:
        number += 1
        yield asset(number, "x" * 1_000)

def offspring():
    child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
    yield RejectedRow("", 1, str(child.pid))
    yield from endless()

def runaway():
    forever = [sys.executable, "-c", "import threading; threading.Event().wait()"]
    child = subprocess.Popen(forever, start_new_session=True)
    yield RejectedRow("", 1, str(child.pid))
    yield from endless()

def kill():
    os.kill(os.getpid(), signal.SIGKILL)
    yield

def crash():
    ctypes.string_at(0)
    yield

def native_without_memory():
    os.write(2, b"memory allocation of 99 bytes failed")
    os.abort()
    yield

def leave():
    os._exit(0)
    yield

def fail():
    yield asset(1)
    raise ValueError("hidden words")

def fail_of_memory():
    yield asset(1)
    raise MemoryError

def chatter():
    print("printed by a library")
    os.write(1, b"written by native code\\n")
    subprocess.run(["echo", "said by a program"], check=True)
    yield asset(1)

def environment():
    yield asset(1, " ".join(sorted(os.environ)))

def priority():
    yield asset(1, str(os.nice(0)))

def links_first():
    yield link(1)
    yield asset(1)
    for number in range(2, 600):
        yield link(number % 250)
    yield asset(2)

def repeats():
    yield asset(1, implied=True)
    yield asset(2)
    yield asset(2)

def long_rows():
    yield asset(1, "x" * 2**21, joined=1)
    yield link(2, "x" * 2**21)
    found = asset(3)
    found.fields["owner"] = "\\x01" * 1_000_000
    yield found
    yield asset(4)

def surrogates():
    yield asset(1, "\\ud800")

ACTS = {name: act for name, act in list(globals().items()) if callable(act)}

def first_cell(source):
    return next(iter(source.sheets[0].rows()))[1][0]

def open_(source, options):
    act = ACTS[first_cell(source)]
    def read(notes):
        yield from act()
        notes.append("all was read")
    return Inventory("misbehaving", f"process {os.getpid()}", "", (), None, read)

READER = Reader("misbehaving", "A plug-in that misbehaves", lambda source: 0.001, open_)
"""

_PARENT = """
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from mooring_server.background.parsing import parse
from mooring_server.ingest import ReadOptions
from mooring_server.settings import Settings

async def main(path):
    options = ReadOptions(kind="misbehaving")
    async with parse(path, "estate.csv", options, Settings(), datetime.now(UTC)) as parsed:
        if path.name == "repeats":
            async for batch in parsed.batches():
                pass
        print(parsed.header.source.partition(" ")[2], flush=True)
        await asyncio.Event().wait()

asyncio.run(main(Path(sys.argv[1])))
"""


def install(folder: Path, setenv: Callable[[str, str], None]) -> None:
    """Makes processes that are started from now on find the reader."""
    (folder / "misbehaving.py").write_text(_PLUGIN)
    about = folder / "misbehaving-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[mooring.readers]\n{KIND} = misbehaving:READER\n")
    before = os.environ.get("PYTHONPATH")
    setenv("PYTHONPATH", os.pathsep.join([str(folder), before] if before else [str(folder)]))


def act(folder: Path, name: str) -> Path:
    """A file at which the reader does that."""
    path = folder / name
    path.write_text(f"{name}\nx\n")
    return path


def parent(path: Path) -> tuple[subprocess.Popen[str], int]:
    """A process that has begun to read a file, to be killed, and the id of the one that reads for it.

    Of the file `repeats` it has read all.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has reaped yet does not."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(found.stdout.strip()) and not found.stdout.strip().startswith("Z")
