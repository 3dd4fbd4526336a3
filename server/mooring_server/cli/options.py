"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

Database = Annotated[
    str | None,
    typer.Option(
        envvar="MOORING_DATABASE",
        metavar="URL",
        help="sqlite:///FILE or postgresql://USER@HOST/NAME. Without it: a SQLite file in your data folder.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Authority = Annotated[
    Path | None,
    typer.Option(
        "--ca",
        envvar="MOORING_CA",
        metavar="FILE",
        help="Certificates to trust, PEM, where the server's is of an authority of your own.",
        show_default=False,
    ),
]
