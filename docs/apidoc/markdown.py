"""Markdown as the reference writes it."""

import re
from collections.abc import Iterable, Sequence

CODES = (
    *("INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "ALREADY_EXISTS", "ABORTED"),
    *("FAILED_PRECONDITION", "OUT_OF_RANGE", "RESOURCE_EXHAUSTED", "CANCELLED", "DEADLINE_EXCEEDED"),
    *("UNAVAILABLE", "INTERNAL", "UNIMPLEMENTED"),
)
"""The status codes that the service answers, in the order of the page of errors."""

_CODE = re.compile(rf"(?<![`\w])({'|'.join(CODES)})(?![`\w])")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def cell(comment: str) -> str:
    """A comment for a table's cell: its paragraphs parted by a line."""
    return with_codes(comment).replace("\n\n", "<br>")


def code_block(text: str, language: str) -> str:
    """Code between fences."""
    return f"```{language}\n{text}\n```"


def with_codes(comment: str) -> str:
    """A comment whose status codes lead to the page of errors."""
    return _CODE.sub(lambda found: f"[{found[1]}](errors.md#{found[1].lower()})", comment)


def refusals(paragraph: str) -> str:
    """The paragraph of a comment that says which status codes an RPC answers, as a list."""
    parts = re.split(rf"; (?=(?:{'|'.join(CODES)})\b)", paragraph)
    return "\n".join(f"- {with_codes(part.rstrip('.'))}" for part in parts)


def speaks_of_codes(paragraph: str) -> bool:
    """Whether a comment's paragraph says which status codes an RPC answers."""
    return paragraph.startswith(CODES)


def page(*blocks: str) -> str:
    """A page: its blocks with an empty line between them."""
    note = (
        "<!-- Written by docs/reference.py from the protos and the code: change those, then `make docs`. -->"
    )
    return "\n\n".join(block for block in (note, *blocks) if block) + "\n"
