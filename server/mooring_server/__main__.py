"""The `mooring` command, and `python -m mooring_server`."""

import sys
from importlib.util import find_spec

LIBRARIES = (
    "adbc_driver_manager",
    "adbc_driver_postgresql",
    "adbc_driver_sqlite",
    "charset_normalizer",
    "cryptography",
    "grpc_health",
    "grpc_reflection",
    "grpc_status",
    "itsdangerous",
    "lark",
    "limits",
    "openpyxl",
    "peewee",
    "platformdirs",
    "prometheus_client",
    "psycopg",
    "pyarrow",
    "pydantic_settings",
    "python_calamine",
    "rich",
    "structlog",
    "typer",
    *(() if sys.platform == "win32" else ("uvloop",)),
)
"""What the `server` extra brings."""


def main() -> None:
    """Run the command line; without the server extra, say in one sentence what is missing."""
    # Looked for rather than tried: some are imported late, and an import that fails inside one of them is
    # another matter.
    if missing := next((name for name in LIBRARIES if find_spec(name) is None), None):
        sys.stderr.write(
            f"mooring: the command line needs the server's libraries ({missing} is missing); "
            'get them with: pip install "mooring[server]"\n'
        )
        raise SystemExit(1)
    from mooring_server.cli import main as run

    run()


if __name__ == "__main__":
    main()
