"""What a user's function returned, as something that a front end can show."""

import io
import sys
from dataclasses import dataclass
from typing import Any

import anywidget
import ipywidgets


@dataclass(frozen=True)
class Rendered:
    """`payload` is for the front end; `kept` is what must stay alive while it is shown."""

    payload: dict[str, Any]
    kept: Any = None


def render(value: Any) -> Rendered:
    """Makes a value showable: a widget as it is, a figure as SVG, else its HTML, else its text.

    The front end decides how far it trusts HTML. Runs the value's own code: call it where users' code runs.
    """
    if isinstance(value, ipywidgets.Widget):
        embedded = isinstance(value, anywidget.AnyWidget)
        return Rendered({"kind": "widget", "model_id": value.model_id, "anywidget": embedded}, kept=value)
    if callable(getattr(value, "savefig", None)):
        drawn = io.StringIO()
        value.savefig(drawn, format="svg", bbox_inches="tight")
        return Rendered({"kind": "svg", "svg": drawn.getvalue()})
    to_html = getattr(value, "_repr_html_", None)
    html = to_html() if callable(to_html) and not isinstance(value, type) else None
    if isinstance(html, str):
        return Rendered({"kind": "html", "html": html})
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.Series):
        return render(value.to_frame())  # it reads better as the table that it is
    return Rendered({"kind": "text", "text": "" if value is None else str(value)})
