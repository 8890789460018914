"""Test the measured figures and their charts."""

import json
import re
from dataclasses import asdict, replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from labkit.measure import charts, results
from labkit.measure.chart_labels import Label, end_labels
from labkit.measure.charts import Bars, BarSeries, Lines, Series, chart_of, format_number, svg
from labkit.processes.start import NotInstalled
from labkit.render import PALETTE
from labkit.services import requirements

LINES = Lines(
    "Bytes up per request",
    "Cookies: 90 at 1, 1,600 at 20.",
    "items in the cart",
    "bytes",
    [
        Series(f"variant {n} <&>", [(1, 90 * n), (20, 1600), (200, 50)], place=place)
        for n, place in enumerate(("browser", "server", "store", "", "store", "store"))
    ],
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


def drawn_lines(text):
    """Return the dash and the marker of each line of a chart."""
    strokes = re.findall(r'style="fill: none;([^"]*)stroke: var\(--[a-z]+\);([^"]*)"', text)
    dashes = {re.sub(r"[\d. ]*stroke-width[^;]*;?", "", "".join(one)) for one in strokes}
    return dashes - {" stroke-linecap: square"}


@drawing
def test_every_line_has_its_name_and_its_own_dash():
    text = svg(LINES)
    said = " ".join(words(ElementTree.fromstring(text)))
    assert all(series.name in said for series in LINES.series)
    assert len(drawn_lines(text)) >= len(LINES.series)
    for names in (charts.MARKERS, charts.HATCHES):
        assert len(names) == len(set(names)) >= len(LINES.series)


@drawing
def test_a_label_has_the_colour_of_its_line():
    for place in ("browser", "server", "store"):
        one = replace(LINES, series=[Series("one", [(1, 2), (3, 4)], place=place)])
        text = svg(one)
        (label,) = [line for line in text.splitlines() if ">one<" in line]
        assert f"fill: var(--{place})" in label
        assert f"stroke: var(--{place})" in text


@drawing
def test_lines_that_coincide_share_a_label():
    points = [(1, 10), (200, 900)]
    ends = [(1, 12), (50, 900)]
    series = [Series("a", points), Series("b", points), Series("c", ends, "full")]
    said = words(ElementTree.fromstring(svg(replace(LINES, series=series))))
    assert {"c", "(full)"} <= set(said)
    assert charts.SAME.format("a and b") in " ".join(said)
    names = [one.name for one in charts.joined([Series(f"a, {n}", points) for n in "xy"])]
    assert names == [charts.SAME.format("a, x and y")]


@pytest.mark.parametrize("ends", [[0.5] * 6, [0, 0.1, 0.2, 2.4, 2.6, 2.6], [2.6] * 6])
def test_no_label_is_over_another(ends):
    plot, letter = (3.0, 2.6), (0.1, 0.2)
    labels = [Label(["one", "two"][: 1 + n % 2], "", [(0, 1), (3, y)]) for n, y in enumerate(ends)]
    placed = sorted(end_labels(labels, plot, letter), key=lambda label: label.y)
    for low, high in pairwise(placed):
        assert high.y - low.y >= letter[1] * (len(low.lines) + len(high.lines)) / 2 - 1e-9
    assert all(label.x >= plot[0] for label in placed)
    moved = [label for label in placed if abs(label.y - label.points[-1][1]) > letter[1] / 2]
    assert all(label.from_x == plot[0] for label in moved)


def test_a_line_that_ends_early_is_named_where_it_is_free():
    crossing = Label(["long"], "", [(0, 0), (1, 1), (3, 1)])
    short = Label(["short"], "", [(0, 2), (1, 1)])
    *_, placed = end_labels([crossing, short], (3.0, 2.6), (0.1, 0.2))
    assert placed.lines == ["short"]
    assert placed.from_x is None
    assert abs(placed.y - 1) > 0.1


@drawing
def test_every_scale_is_linear_from_zero():
    points = [(10, 100), (100, 200), (1000, 300)]
    lines = svg(replace(LINES, series=[Series("one", points, place="store")]))
    path = re.search(r'<path d="M ([^"]+)"[^>]*style="fill: none;[^"]*stroke: var\(--store', lines)
    (x1, y1), (x2, y2), (x3, y3) = [
        map(float, point.split()) for point in re.split(r"\s*L\s*", path[1].strip())
    ]
    assert (x3 - x1) / (x2 - x1) == pytest.approx(990 / 90, rel=0.01)
    assert y2 - y1 == pytest.approx(y3 - y2, abs=0.01)
    for chart in (LINES, BARS):
        assert "0" in words(ElementTree.fromstring(svg(chart)))


@drawing
def test_every_axis_has_its_unit():
    said = words(ElementTree.fromstring(svg(LINES)))
    assert {LINES.x, LINES.y} <= set(said)
    assert BARS.x in words(ElementTree.fromstring(svg(BARS)))


@drawing
def test_every_bar_has_its_name_and_its_value():
    said = words(ElementTree.fromstring(svg(BARS)))
    assert {"cookies: 0", "session: 3", "session: –", "a robot", "aim: at most 1.1"} <= set(said)
    assert BARS.groups[0] in said
    same = replace(BARS, rows=[BarSeries(f"session, {db}", [1, 2], "store") for db in "AB"])
    assert {"session, A and B: 1", "session, A and B: 2"} <= set(
        words(ElementTree.fromstring(svg(same)))
    )


@drawing
@both
def test_the_same_chart_has_the_same_bytes(chart):
    first = svg(chart)
    svg(LINES if chart is BARS else BARS)
    assert svg(chart_of(json.loads(json.dumps(asdict(chart))))) == first
    assert "metadata" not in first


@drawing
@both
def test_colours_are_those_of_the_palette(chart):
    text = svg(chart)
    rules = charts.stylesheet()
    assert "prefers-color-scheme:dark" in rules
    assert not re.findall("#[0-9a-f]{6}", text.replace(rules, ""))
    palette = PALETTE.read_text(encoding="utf-8")
    for variable in charts.VARIABLES.values():
        values = re.findall(rf"[{{;]{variable}:([^;]+);", rules)
        assert len(values) == 2  # light, dark
        assert re.findall(rf"{variable}: ([^;]+);", palette)[:2] == values
    # Without a separate colour, text would be black on black.
    assert all("fill: var(--" in line for line in text.splitlines() if "<text" in line)


def luminance(colour):
    """https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "quiet", "browser", "server", "store"])
def test_every_colour_of_a_text_stands_out(name, scheme):
    light, _, dark = charts.stylesheet().partition("prefers-color-scheme:dark")
    rules = dict(re.findall(r"--([a-z]+):(#[0-9a-f]{6})", light if scheme == "light" else dark))
    low, high = sorted([luminance(rules[name]), luminance(rules["surface"])])
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_browser_server_and_store_differ():
    for rules in charts.stylesheet().split("prefers-color-scheme:dark"):
        found = dict(re.findall(r"--(browser|server|store):(#[0-9a-f]{6})", rules))
        assert len(set(found.values())) == 3


@drawing
def test_charts_can_stand_in_one_page():
    names = [re.findall(r' id="([^"]+)"', svg(chart)) for chart in (LINES, BARS)]
    names.append(re.findall(r' id="([^"]+)"', svg(LINES, "the same of another")))
    assert all(names)
    assert sum(map(len, names)) == len({name for some in names for name in some})
    styles = "".join(re.findall("<style>(.*?)</style>", svg(LINES), re.DOTALL))
    selectors = [one.strip() for one in re.findall(r"([^{}]+)\{", styles)]
    assert len(selectors) >= 4
    for selector in selectors:
        assert selector.startswith((".labkit-chart", "@media")), selector


@drawing
def test_charts_are_drawn_from_the_file_beside_them(tmp_path):
    path = tmp_path / "carts.json"
    results.write(path, results.stamp("lab compare"), {"n": [1, 2.5]}, {"up": LINES, "left": BARS})
    (tmp_path / "carts-old.svg").touch()
    named = results.read(path)["charts"].items()
    drawn = charts.draw_all(path, {name: chart_of(chart) for name, chart in named})
    assert not (tmp_path / "carts-old.svg").exists()
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
    with pytest.raises(ValueError, match="no figures"):
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
