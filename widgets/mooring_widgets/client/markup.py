"""HTML for what a cell shows of a snapshot; every text is escaped here, and nowhere else."""

from collections.abc import Iterable, Sequence
from html import escape


def paragraph(text: str, *, muted: bool = False) -> str:
    """A paragraph."""
    style = ' style="opacity: 0.75"' if muted else ""
    return f"<p{style}>{escape(text)}</p>"


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, label: str = "") -> str:
    """A table: numbers to the right, the unknown a dash. `label` is for who cannot see where it belongs."""
    columns = "".join(f'<th scope="col" style="text-align: left">{escape(text)}</th>' for text in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    named = f' aria-label="{escape(label)}"' if label else ""
    return f"<table{named}><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"


def items(texts: Sequence[str], shown: int, total: int | None = None) -> str:
    """A list of the first texts, which says how many more there are."""
    if not texts:
        return ""
    rest = (total or len(texts)) - shown
    more = [f"… and {rest:,} more"] if rest > 0 else []
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in [*texts[:shown], *more])}</ul>"


def folded(summary: str, content: str) -> str:
    """Content that a click, or Enter on its summary, unfolds; nothing where there is none."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>" if content else ""


def counted(count: int, noun: str) -> str:
    """`1 row`, `2 rows`, `2 dependencies`."""
    if count != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun}"


def _cell(value: object) -> str:
    if value is None or value == "":
        side = "right" if value is None else "left"
        return f'<td style="opacity: 0.75; text-align: {side}">\N{EN DASH}</td>'
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'<td style="text-align: right">{value:,}</td>'
    return f'<td style="text-align: left">{escape(str(value))}</td>'
