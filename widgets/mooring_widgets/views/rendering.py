"""What a user's function returned, as something that a front end can show."""

import base64
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import anywidget
import ipywidgets
from IPython.lib.pretty import pretty
from IPython.utils.dir2 import get_real_method

# Above this a drawing of many marks is smaller, and faster to show, as pixels.
SVG_MAX = 256 * 2**10
_DPI = 100.0
_SHARP = 2  # pixels for each that a screen of usual density has
# Of what travels to the page: more would stop the page, and Jupyter's servers may drop it.
OUTPUT_MAX = 8 * 2**20
_NO_VL_CONVERT = "an Altair chart is drawn by vl-convert: install vl-convert-python, then run the cell again"


@dataclass(frozen=True)
class Rendered:
    """`payload` is for the front end, None where there is nothing to show; `kept` is a widget that must stay
    alive while it is shown, and `made` here, so that it is closed here."""

    payload: dict[str, Any] | None
    kept: ipywidgets.Widget | None = None
    made: bool = False

    def release(self) -> None:
        """Closes what nobody else could."""
        if self.made and self.kept is not None:
            self.kept.close()


def render(value: Any) -> Rendered:
    """Makes a value showable: a widget as it is, a figure as a picture, else what it says of itself in HTML,
    Markdown, SVG, PNG or JPEG, else its text.

    The front end decides how far it trusts HTML. Runs the value's own code, and raises what that raises: call
    it where users' code runs.

    Raises:
        ValueError: For more than `OUTPUT_MAX` characters.
        ModuleNotFoundError: For an Altair chart where nothing is installed that draws it.
    """
    rendered = _rendered(value)
    size = sum(len(part) for part in (rendered.payload or {}).values() if isinstance(part, str))
    if size > OUTPUT_MAX:
        raise ValueError(
            f"the output is {size / 2**20:,.1f} MiB, and a view shows {OUTPUT_MAX >> 20} at most: "
            "return less, such as df.head(1000)"
        )
    return rendered


def _rendered(value: Any) -> Rendered:
    if value is None:
        return Rendered(None)
    if isinstance(value, str):
        return Rendered({"kind": "text", "text": value})
    if isinstance(value, ipywidgets.Widget):
        return _widget(value)
    for shown in (_plotly, _altair, _figure, _series, _own):
        found = shown(value)
        if found is not None:
            return found
    text: str = pretty(value)  # type: ignore[no-untyped-call]
    return Rendered({"kind": "text", "text": text})


def _widget(value: ipywidgets.Widget, *, made: bool = False) -> Rendered:
    embedded = isinstance(value, anywidget.AnyWidget)
    payload = {"kind": "widget", "model_id": value.model_id, "anywidget": embedded}
    return Rendered(payload, kept=value, made=made)


def _is_a(value: Any, module: str, name: str) -> bool:
    """Whether it is of a library's class, which need not be installed; while another thread imports it, the
    module is there without the class."""
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(value, kind)


def _plotly(value: Any) -> Rendered | None:
    """Its formatters give nothing: it would show itself, beside the view."""
    if not _is_a(value, "plotly.basedatatypes", "BaseFigure"):
        return None
    return _widget(import_module("plotly.graph_objects").FigureWidget(value), made=True)


def _altair(value: Any) -> Rendered | None:
    """What it says of itself is only for a page that brings Vega along."""
    if not _is_a(value, "altair", "TopLevelMixin"):
        return None
    if find_spec("vl_convert") is None:
        raise ModuleNotFoundError(_NO_VL_CONVERT, name="vl_convert")

    return _picture(
        lambda file: value.save(file, format="svg"),
        lambda file: value.save(file, format="png", scale_factor=_SHARP),
    )


def _figure(value: Any) -> Rendered | None:
    """Whatever saves itself as a figure of Matplotlib does, or is drawn on one that does."""
    drawn_on = get_real_method(value, "get_figure")
    figure = drawn_on() if drawn_on is not None and get_real_method(value, "savefig") is None else value
    savefig = get_real_method(figure, "savefig")
    if savefig is None:
        return None
    dpi = _SHARP * getattr(figure, "dpi", _DPI)
    return _picture(
        lambda file: savefig(file, format="svg", bbox_inches="tight"),
        lambda file: savefig(file, format="png", bbox_inches="tight", dpi=dpi),
    )


def _picture(save_svg: Callable[[io.StringIO], Any], save_png: Callable[[io.BytesIO], Any]) -> Rendered:
    svg, png = io.StringIO(), io.BytesIO()
    save_svg(svg)
    if svg.tell() <= SVG_MAX:
        return Rendered({"kind": "svg", "svg": svg.getvalue()})
    save_png(png)
    return _pixels("png", png.getvalue(), _SHARP)


def _pixels(kind: str, content: bytes | str, scale: int = 1) -> Rendered:
    data = content if isinstance(content, str) else base64.b64encode(content).decode()
    return Rendered({"kind": "pixels", "type": f"image/{kind}", "data": data, "scale": scale})


def _series(value: Any) -> Rendered | None:
    """It reads better as the table that it is."""
    return _rendered(value.to_frame()) if _is_a(value, "pandas", "Series") else None


def _own(value: Any) -> Rendered | None:
    """By the methods that notebooks ask for.

    IPython's own formatters would print what these raise under whichever cell runs just then.
    """
    said = _asked(value, "mimebundle", include=None, exclude=None) or {}
    said = said[0] if isinstance(said, tuple) else said  # with metadata

    def of(kind: str, name: str) -> Any:
        found = said.get(kind) or _asked(value, name)
        return found[0] if isinstance(found, tuple) else found

    if isinstance(html := of("text/html", "html"), str):
        return Rendered({"kind": "html", "html": html})
    if isinstance(markdown := of("text/markdown", "markdown"), str):
        return _markdown(markdown)
    if isinstance(svg := of("image/svg+xml", "svg"), str):
        return Rendered({"kind": "svg", "svg": svg})
    for kind in ("png", "jpeg"):
        if isinstance(content := of(f"image/{kind}", kind), bytes | str):
            return _pixels(kind, content)
    return None


def _asked(value: Any, name: str, **arguments: Any) -> Any:
    method = get_real_method(value, f"_repr_{name}_")
    return method(**arguments) if method is not None else None


def _markdown(text: str) -> Rendered:
    """As HTML where the notebook's own converter is here too, else as it is written."""
    if find_spec("mistune") is None:
        return Rendered({"kind": "text", "text": text})
    return Rendered({"kind": "html", "html": import_module("mistune").html(text)})
