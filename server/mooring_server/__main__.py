"""The `mooring` command, and `python -m mooring_server`."""

import sys


def main() -> None:
    """Run the command line; without the server extra, say in one sentence what is missing."""
    try:
        from mooring_server.cli import main as run
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] in {"mooring", "mooring_server"}:
            raise
        sys.stderr.write(
            f"mooring: the command line needs the server's libraries ({missing.name} is missing); "
            'get them with: pip install "mooring[server]"\n'
        )
        raise SystemExit(1) from None
    run()


if __name__ == "__main__":
    main()
