"""What a view's function returned, as something to show."""

import base64
import sys
import types

import anywidget
import ipywidgets
import pandas as pd
import pytest
from mooring_widgets.views.rendering import OUTPUT_MAX, SVG_MAX, render


class Figure:
    """Saves itself, as a figure of Matplotlib does; `marks` is how many it draws."""

    dpi = 72.0

    def __init__(self, marks: int = 0) -> None:
        self.marks = marks

    def savefig(self, file, **options):
        if options["format"] == "svg":
            file.write(f"<svg>{'.' * self.marks}</svg>")
        else:
            file.write(f"{options['format']} at {options['dpi']:.0f}".encode())


class Axes:
    """Is drawn on a figure."""

    def get_figure(self):
        return Figure()


class Says:
    """Says of itself what it is given."""

    def __init__(self, **said):
        for name, value in said.items():
            setattr(self, f"_repr_{name}_", lambda value=value, **_: value)

    def __repr__(self):
        return "<says>"


SVG = {"kind": "svg", "svg": "<svg></svg>"}


def pixels(content: bytes, kind: str = "png", scale: int = 1):
    data = base64.b64encode(content).decode()
    return {"kind": "pixels", "type": f"image/{kind}", "data": data, "scale": scale}


@pytest.mark.parametrize(
    ("value", "payload"),
    [
        (Figure(), SVG),
        (Axes(), SVG),
        (Figure(SVG_MAX), pixels(b"png at 144", scale=2)),
        ("plain", {"kind": "text", "text": "plain"}),
        ([1, 2], {"kind": "text", "text": "[1, 2]"}),
        (pd.DataFrame, {"kind": "text", "text": "pandas.DataFrame"}),
        (None, None),
        (Says(html="<b>x</b>", png=b"x"), {"kind": "html", "html": "<b>x</b>"}),
        (Says(mimebundle={"text/html": "<b>x</b>"}), {"kind": "html", "html": "<b>x</b>"}),
        (Says(mimebundle=({"image/png": b"x"}, {"image/png": {"width": 1}})), pixels(b"x")),
        (Says(html=None, svg="<svg></svg>", png=b"x"), SVG),
        (Says(png=b"x", jpeg=b"y"), pixels(b"x")),
        (Says(jpeg=(b"y", {})), pixels(b"y", "jpeg")),
        (Says(latex="$x$"), {"kind": "text", "text": "<says>"}),
        (Says(markdown="**x**"), {"kind": "html", "html": "<p><strong>x</strong></p>\n"}),
    ],
)
def test_values_are_rendered_by_what_they_can_do(value, payload):
    """A figure becomes SVG, or pixels where that is large; else what the value says of itself, the richest
    first; else its text. A class is not asked for the HTML of its instances."""
    assert render(value).payload == payload


def test_tables_and_series_are_rendered_as_html():
    """A data frame, a series and a Styler give their HTML."""
    frame = pd.DataFrame({"a": [1]})
    for value in (frame, frame["a"], frame.style):
        assert "<table" in render(value).payload["html"]


def test_what_a_value_raises_is_raised():
    """An exception in the value's own code is the view's, and not printed under some cell."""

    class Broken:
        def _repr_html_(self):
            raise KeyError("owner")

    with pytest.raises(KeyError, match="owner"):
        render(Broken())


@pytest.mark.parametrize("module", ["plotly.basedatatypes", "altair", "pandas"])
def test_a_library_that_is_being_imported_is_in_nobodys_way(module, monkeypatch):
    """While another thread imports it the module has no classes yet; other values are shown as ever."""
    monkeypatch.setitem(sys.modules, module, types.ModuleType(module))
    assert render(Figure()).payload == SVG


def test_more_than_a_page_can_hold_is_refused():
    """It says how much it was and what to do, before anything travels."""
    with pytest.raises(ValueError, match=r"the output is 8\.0 MiB, .* return less, such as df\.head"):
        render("x" * (OUTPUT_MAX + 1))


def test_widgets_are_embedded_and_kept(ws):
    """A widget is shown as itself, lives as long as the output, and is its maker's to close."""
    slider = ipywidgets.IntSlider()
    rendered = render(slider)
    assert rendered.payload == {"kind": "widget", "model_id": slider.model_id, "anywidget": False}
    assert rendered.kept is slider
    rendered.release()
    assert slider.comm is not None
    assert render(ws.selector).payload["anywidget"] is True


def test_a_plotly_figure_is_shown_as_its_widget(monkeypatch):
    """The widget is made for the view, and closed when the output goes."""

    class BaseFigure:
        pass

    class FigureWidget(anywidget.AnyWidget):
        _esm = ""

        def __init__(self, figure):
            super().__init__()
            self.figure = figure

    for name, more in {
        "plotly.basedatatypes": {"BaseFigure": BaseFigure},
        "plotly.graph_objects": {"FigureWidget": FigureWidget},
    }.items():
        module = types.ModuleType(name)
        module.__dict__.update(more)
        monkeypatch.setitem(sys.modules, name, module)
    figure = BaseFigure()
    rendered = render(figure)
    assert rendered.payload == {"kind": "widget", "model_id": rendered.kept.model_id, "anywidget": True}
    assert rendered.kept.figure is figure
    rendered.release()
    assert rendered.kept.comm is None


@pytest.fixture
def chart(monkeypatch):
    """A stand-in for a chart of Altair."""

    class TopLevelMixin:
        def save(self, file, **options):
            file.write(f"<{options['format']}></{options['format']}>")

    module = types.ModuleType("altair")
    module.__dict__["TopLevelMixin"] = TopLevelMixin
    monkeypatch.setitem(sys.modules, "altair", module)
    return TopLevelMixin()


def test_an_altair_chart_is_drawn_by_vl_convert(chart, monkeypatch):
    """Where vl-convert is installed the chart becomes a picture."""
    found = types.ModuleType("vl_convert")
    found.__spec__ = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "vl_convert", found)
    assert render(chart).payload == SVG


def test_an_altair_chart_without_vl_convert_says_what_to_install(chart, monkeypatch):
    """It does not fall back to a text that shows nothing."""
    monkeypatch.setattr("mooring_widgets.views.rendering.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="install vl-convert-python"):
        render(chart)


def test_markdown_without_a_converter_is_shown_as_written(monkeypatch):
    """Nothing is lost where the notebook's own converter is not there."""
    monkeypatch.setattr("mooring_widgets.views.rendering.find_spec", lambda name: None)
    assert render(Says(markdown="**x**")).payload == {"kind": "text", "text": "**x**"}
