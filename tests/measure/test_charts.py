"""labkit.measure.charts and figures: what is measured, kept and drawn."""

import json
import re
from dataclasses import asdict, replace
from xml.etree import ElementTree

import pytest

from labkit.measure import charts, results
from labkit.measure.charts import Bars, BarSeries, Lines, Series, chart_of, format_number, svg
from labkit.processes.start import NotInstalled
from labkit.services import requirements

LINES = Lines(
    "Bytes up per request",
    "Cookies: 90 at 1, 1,600 at 20.",
    "items in the cart",
    "bytes",
    [Series(f"variant {n} <&>", [(1, 90 * n), (20, 1600), (200, 50)]) for n in range(6)],
    log_x=True,
)
BARS = Bars(
    "Sessions left",
    "Three of the session, none of cookies.",
    "sessions",
    ["one visitor, 3 times a day and once more at night", "a robot"],
    [BarSeries("cookies", [0, 0]), BarSeries("session", [3, None])],
    aim=1.1,
)
EMPTY = replace(BARS, rows=[BarSeries("cookies", [0, 0])], aim=None)
drawing = pytest.mark.charts
both = pytest.mark.parametrize("chart", [LINES, BARS, EMPTY], ids=["lines", "bars", "all zero"])
SVG = "{http://www.w3.org/2000/svg}"


def words(picture):
    return ["".join(text.itertext()).strip() for text in picture.iter(f"{SVG}text")]


@drawing
@both
def test_a_chart_is_told_to_who_cannot_see_it(chart):
    picture = ElementTree.fromstring(svg(chart))
    assert picture.get("role") == "img"
    title, about = picture[:2]
    assert (title.tag, title.text) == (f"{SVG}title", chart.title)
    assert (about.tag, about.text) == (f"{SVG}desc", chart.about)
    assert title.get("id") == picture.get("aria-labelledby")
    assert about.get("id") == picture.get("aria-describedby")


@drawing
def test_every_series_is_named_and_has_a_dash_and_a_marker_of_its_own():
    text = svg(LINES)
    picture = ElementTree.fromstring(text)
    assert {series.name for series in LINES.series} <= set(words(picture))
    dashes = set()
    for colour in charts.COLOURS:
        strokes = re.findall(rf'style="fill: none;([^"]*)stroke: {colour};([^"]*)"', text)
        assert strokes, colour
        dashes |= {re.sub(r"[\d. ]*stroke-width[^;]*;?", "", "".join(one)) for one in strokes}
    assert len(dashes) == len(charts.COLOURS)
    assert len(set(charts.MARKERS)) == len(charts.COLOURS) == len(set(charts.HATCHES))


@drawing
def test_every_bar_has_its_name_and_its_value():
    said = words(ElementTree.fromstring(svg(BARS)))
    assert {"cookies", "session", "a robot", "aim: at most 1.1"} <= set(said)
    assert {"one visitor, 3 times a day", "and once more at night"} <= set(said)
    assert {"0", "3", "–"} <= set(said)


@drawing
@both
def test_the_same_chart_has_the_same_bytes(chart):
    first = svg(chart)
    svg(LINES if chart is BARS else BARS)
    assert svg(chart_of(json.loads(json.dumps(asdict(chart))))) == first
    assert "metadata" not in first


@drawing
@both
def test_ink_and_ground_follow_the_colour_scheme(chart):
    text = svg(chart)
    assert "prefers-color-scheme:dark" in text
    drawn = text.replace(charts.STYLE, "")
    assert set(re.findall("#[0-9a-f]{6}", drawn)) <= set(charts.COLOURS)
    for variable in charts.VARIABLES.values():
        assert text.count(f"{variable}:") == 3  # light, dark, paper
    # Without a colour of its own a text would be black on black.
    assert all("fill: var(--" in line for line in text.splitlines() if "<text" in line)


def luminance(colour):
    """https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", charts.COLOURS)
@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])
def test_a_colour_stands_out_from_both_grounds(colour, ground):
    dark, light = sorted([luminance(colour), luminance(ground)])
    assert (light + 0.05) / (dark + 0.05) >= 3


@drawing
def test_charts_can_stand_in_one_page():
    names = [re.findall(r' id="([^"]+)"', svg(chart)) for chart in (LINES, BARS)]
    names.append(re.findall(r' id="([^"]+)"', svg(LINES, "the same of another")))
    assert all(names)
    assert sum(map(len, names)) == len({name for some in names for name in some})
    styles = "".join(re.findall("<style>(.*?)</style>", svg(LINES), re.DOTALL))
    selectors = [one.strip() for one in re.findall(r"([^{}]+)\{", styles)]
    assert len(selectors) == 7
    for selector in selectors:
        assert selector.startswith((".labkit-chart", "@media")), selector


@drawing
def test_charts_are_drawn_from_the_file_beside_them(tmp_path):
    path = tmp_path / "carts.json"
    results.write(path, results.stamp("lab compare"), {"n": [1, 2.5]}, {"up": LINES, "left": BARS})
    drawn = charts.draw_all(path, results.read(path))
    assert [file.name for file in drawn] == ["carts-up.svg", "carts-left.svg"]
    assert [file.read_text("utf-8") for file in drawn] == [svg(LINES, "carts"), svg(BARS, "carts")]


def test_where_matplotlib_is_missing_it_says_how_to_get_it(monkeypatch):
    missing = replace(requirements.TOOLS["matplotlib"], found=lambda: None)
    monkeypatch.setitem(requirements.TOOLS, "matplotlib", missing)
    with pytest.raises(NotInstalled) as caught:
        svg(LINES)
    assert str(caught.value).startswith(requirements.NOT_FOUND.format("matplotlib"))
    assert str(caught.value).endswith(requirements.pip_line("charts"))


def test_figures_know_when_where_and_how(tmp_path):
    path = tmp_path / "new" / "carts.json"
    stamp = results.stamp("lab compare carts --measure", "sqlite")
    results.write(path, stamp, {"sizes": [1, 2]}, {})
    kept = results.read(path)
    assert kept == {"stamp": stamp, "figures": {"sizes": [1, 2]}, "charts": {}}
    assert set(stamp["machine"]) == {"processor", "cores", "memory", "system"}
    assert all(stamp["machine"].values())
    assert set(stamp["versions"]) == {"Python", "Django", "waitress", "SQLite"}
    told = results.describe(stamp)
    assert all(value in told for value in (stamp["date"], stamp["command"], "SQLite"))


def test_another_file_is_no_figures(tmp_path):
    path = tmp_path / "other.json"
    path.write_text('{"stamp": {}}', encoding="utf-8")
    with pytest.raises(ValueError, match="holds no figures"):
        results.read(path)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1200, "1,200"),
        (3.0, "3"),
        (0.0512, "0.0512"),
        (12.345, "12.3"),
        (1234.5, "1,234"),
    ],
)
def test_numbers_are_written_as_people_do(value, text):
    assert format_number(value) == text
