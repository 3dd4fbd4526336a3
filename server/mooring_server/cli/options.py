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

# Where discovery data is.

Session = Annotated[
    str, typer.Argument(metavar="SESSION", help="The session: its name, its id, or engagements/…/sessions/….")
]
Engagement = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Engagement by name or id; your default one without it.", show_default=False
    ),
]
Server = Annotated[
    str | None,
    typer.Option(
        envvar="MOORING_SERVER",
        metavar="ADDRESS",
        help="The server: https://HOST or HOST:PORT. Without it: your own service, started if need be.",
        show_default=False,
    ),
]

# Which of them.

Filter = Annotated[
    str,
    typer.Option(
        metavar="FILTER",
        help="Only what it is true of: words, or comparisons like 'environment = prod' (docs/filtering.md).",
        show_default=False,
    ),
]
OrderBy = Annotated[
    str,
    typer.Option(metavar="FIELD", help="The order; 'FIELD desc' turns it round.", show_default=False),
]
Limit = Annotated[int, typer.Option(metavar="N", min=0, help="How many to list at most; 0 for all.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, do it.")]

LIMIT_DEFAULT = 50

# Reading all into a file.

To = Annotated[
    Path,
    typer.Option(
        "--to", metavar="FILE", help="Where it goes; its ending says what it is.", show_default=False
    ),
]
Fields = Annotated[
    str,
    typer.Option(
        metavar="NAME,…",
        help="The columns, in this order; attributes.KEY is one attribute, in quotes where KEY has a comma.",
        show_default=False,
    ),
]
Overwrite = Annotated[bool, typer.Option("--force", help="Overwrite a file that is there already.")]
