from mooring_server.cli.commands import app, main

__all__ = ["app", "main"]
