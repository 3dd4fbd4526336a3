"""The API's descriptors, enumerated for tests that hold for every RPC."""

from collections.abc import Iterator
from importlib import import_module

from google.protobuf.descriptor import FileDescriptor, MethodDescriptor

FILES = (
    *(
        "users",
        "tokens",
        "engagements",
        "sessions",
        "comparisons",
        "merges",
        "transfers",
        "activity",
        "watch",
    ),
    "errors",
    *("discovery", "assets", "dependencies", "imports", "landscape"),
)


def files() -> Iterator[FileDescriptor]:
    for name in FILES:
        yield import_module(f"mooring.v1.{name}_pb2").DESCRIPTOR


def rpcs() -> dict[str, MethodDescriptor]:
    """Every RPC of `mooring.v1` by its full name, `mooring.v1.SessionService/GetSession`."""
    return {
        f"{service.full_name}/{method.name}": method
        for file in files()
        for service in file.services_by_name.values()
        for method in service.methods
    }
