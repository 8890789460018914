"""A comparison as one page of HTML that opens offline: no script, no request, nothing beside it."""

import html as markup
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Token, _TokenType

from labkit.diff import terminal
from labkit.diff.comparison import Comparison, FileDiff, Hunk
from labkit.diff.inputs import File, Side
from labkit.diff.lines import Line, Row, visible
from labkit.render import standalone
from labkit.text import quantity

MADE_BY = "lab diff, of labkit"
LEXERS = {".py": "python", ".html": "html+django", ".toml": "toml", ".css": "css", ".js": "js"}
FOLDED = 8  # unchanged lines between two changes that are shown without being asked for
CONTEXT = 3

Colours = list[str]  # for each character of a line, the class that Pygments gives it


def html(found: Comparison) -> str:
    """The whole page. Everything that comes from a file is escaped."""
    old, new = found.old, found.new
    title = f"{old.name} and {new.name}: what differs, and why"
    style = resources.files("labkit.diff").joinpath("diff.css").read_text(encoding="utf-8")
    return standalone.document(title, MADE_BY, style, body(found))


def body(found: Comparison) -> Iterator[str]:
    """What is between <body> and </body>."""
    yield '<a class="skip" href="#main">Skip to the changes</a>'
    yield "<header>"
    yield from head(found)
    yield "</header>"
    yield '<main id="main" tabindex="-1">'
    yield from changes(found)
    yield "</main>"
    yield "<footer>"
    yield from ending(found)
    yield "</footer>"


# The parts, which the console has on a page of its own; diff.css is for them


def head(found: Comparison) -> Iterator[str]:
    """What is compared, how much differs, and links to the files."""
    old, new = found.old, found.new
    yield '<h1><span class="quiet">What differs, and why:</span>'
    yield f"{escape(old.name)} and {escape(new.name)}</h1>"
    yield '<dl class="sides">'
    yield f'<div class="old"><dt>− {escape(old.name)}</dt><dd>{escape(old.title)}</dd></div>'
    yield f'<div class="new"><dt>+ {escape(new.name)}</dt><dd>{escape(new.title)}</dd></div>'
    yield "</dl>"
    for about in dict.fromkeys(filter(None, (old.about, new.about))):
        yield f"<p>{prose(about)}</p>"
    yield f"<p>{escape(terminal.summary(found))}</p>"
    if found.files:
        yield '<nav class="differing" aria-label="Files"><ul>'
        for number, file in enumerate(found.files, 1):
            count = quantity(len(file.hunks), "change")
            yield f'<li><a href="#file-{number}">{escape(file.name)}</a> {count}</li>'
        yield "</ul></nav>"


def changes(found: Comparison) -> Iterator[str]:
    """Each file that differs under a heading of its own, change by change."""
    at = 0
    for number, file in enumerate(found.files, 1):
        yield from _file(found, file, number, at)
        at += len(file.hunks)


def ending(found: Comparison) -> Iterator[str]:
    """What was not shown, by name."""
    yield from (f"<p>{escape(sentence)}</p>" for sentence in terminal.ending(found))


def _file(found: Comparison, file: FileDiff, number: int, at: int) -> Iterator[str]:
    yield f'<section aria-labelledby="file-{number}">'
    yield f'<h2 id="file-{number}" tabindex="-1">{escape(file.name)}</h2>'
    if told := terminal.remark(file, found):
        yield f"<p>{escape(told)}</p>"
    colours = colours_of(file.old), colours_of(file.new)
    for offset, hunk in enumerate(file.hunks):
        rest = file.after if offset == len(file.hunks) - 1 else ()
        yield from _hunk(found, hunk, at + offset + 1, colours, rest)
    yield "</section>"


def _hunk(
    found: Comparison,
    hunk: Hunk,
    number: int,
    colours: tuple[list[Colours], list[Colours]],
    rest: tuple[Row, ...],
) -> Iterator[str]:
    count = len(found.hunks)
    yield f'<article aria-labelledby="change-{number}">'
    yield f'<div class="head"><h3 id="change-{number}" tabindex="-1">Change {number} of {count}'
    yield f'<span class="quiet">{escape(terminal.where(hunk))}</span></h3>'
    yield '<p class="jumps">'
    if number > 1:
        yield f'<a href="#change-{number - 1}">Previous<span class="hidden"> change</span></a>'
    if number < count:
        yield f'<a href="#change-{number + 1}">Next<span class="hidden"> change</span></a>'
    yield "</p></div>"
    note = hunk.note or (terminal.NO_NOTE if found.kept else "")
    if note:
        yield f'<p class="note"><b>Why</b> {prose(note)}</p>'
    yield f'<div class="hunk" role="region" tabindex="0" aria-label="Code of change {number}">'
    yield from _same(hunk.before, colours)
    for run in terminal.runs(hunk.rows):
        yield from (
            _same(tuple(run), colours, fold=False) if run[0].same else _changed(run, found, colours)
        )
    yield from _same(rest, colours, last=True)
    yield "</div>"
    yield "</article>"


def _same(
    rows: tuple[Row, ...],
    colours: tuple[list[Colours], list[Colours]],
    fold: bool = True,
    last: bool = False,
) -> Iterator[str]:
    """Unchanged lines, once for both sides; many of them fold away."""
    if fold and len(rows) > FOLDED:
        near = rows[:CONTEXT] if last else rows[-CONTEXT:]
        far = rows[CONTEXT:] if last else rows[:-CONTEXT]
        folded = [
            f"<details><summary>{len(far)} unchanged lines</summary>",
            *_same(far, colours, fold=False),
            "</details>",
        ]
        shown = list(_same(near, colours, fold=False))
        yield from [*shown, *folded] if last else [*folded, *shown]
        return
    for row in rows:
        if row.old and row.new:
            code = f'<span class="mark"></span><code>{_code(row.new, colours[1])}</code>'
            old, new = (f'<span class="no">{line.number}</span>' for line in (row.old, row.new))
            # Where there is room the line stands on both sides; it is read out once.
            yield f'<div class="both"><div class="line same">{old}{new}{code}</div>'
            yield f'<div class="line same again" aria-hidden="true">{new}{code}</div></div>'


def _changed(
    run: list[Row], found: Comparison, colours: tuple[list[Colours], list[Colours]]
) -> Iterator[str]:
    """Lines that differ: all of the one side, then all of the other; side by side where wide."""
    yield '<div class="changed">'
    for row in run:
        yield _line(row.old, "old", found.old, colours[0])
    for row in run:
        yield _line(row.new, "new", found.new, colours[1])
    yield "</div>"


def _line(line: Line | None, kind: str, side: Side, colours: list[Colours]) -> str:
    if line is None:  # where it is wide, the place beside a line that only the other side has
        return f'<div class="no-{kind}"></div>'
    mark = "−" if kind == "old" else "+"
    return (
        f'<div class="line {kind}"><span class="no">{line.number}</span>'
        f'<span class="mark"><span aria-hidden="true">{mark}</span>'
        f'<span class="hidden">only in {escape(side.name)}: </span></span>'
        f"<code>{_code(line, colours, 'del' if kind == 'old' else 'ins')}</code></div>"
    )


def _code(line: Line, colours: list[Colours], tag: str = "") -> str:
    """The line's code, coloured, with what differs from its pair in <del> or <ins>."""
    classes = colours[line.number - 1] if line.number <= len(colours) else []
    done, at = "", 0
    for start, end in (*line.marks, (len(line.text),) * 2):
        done += _coloured(line.text[at:start], classes[at:start])
        if start < end:
            core = line.text[start:end].strip()
            before = start + line.text[start:end].index(core) if core else end
            after = before + len(core)
            inner = escape(visible(line.text[start:before], dots=True))
            inner += _coloured(core, classes[before:after])
            inner += escape(visible(line.text[after:end], dots=True))
            done += f"<{tag}>{inner}</{tag}>"
        at = end
    return done


def _coloured(text: str, classes: Colours) -> str:
    done, at = "", 0
    classes = [*classes, *[""] * (len(text) - len(classes))]
    while at < len(text):
        end = at
        while end < len(text) and classes[end] == classes[at]:
            end += 1
        piece = escape(visible(text[at:end]))
        done += f'<span class="{classes[at]}">{piece}</span>' if classes[at] else piece
        at = end
    return done


def colours_of(file: File | None) -> list[Colours]:
    """For each line of the file the class of each of its characters, "" for plain."""
    text = file.text() if file else None
    suffix = "." + file.name.rpartition(".")[2].partition(",")[0] if file else ""
    return _colours(text, LEXERS[suffix]) if text and suffix in LEXERS else []


def _colours(text: str, language: str) -> list[Colours]:
    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    found: list[Colours] = [[]]
    for kind, piece in lexer.get_tokens(text):
        name = _class(kind)
        first, *others = piece.split("\n")
        found[-1] += [name] * len(first)
        for part in others:
            found.append([name] * len(part))
    return found


def python(text: str) -> str:
    """Code in Python as HTML, coloured."""
    lines = zip(text.split("\n"), _colours(text, "python"), strict=True)
    return "\n".join(_coloured(line, classes) for line, classes in lines)


# What is worth a colour: a lesson is no Christmas tree.
GROUPS = {
    Token.Comment: "c",
    Token.Literal.String: "s",
    Token.Keyword: "k",
    Token.Name.Function: "f",
    Token.Name.Class: "f",
    Token.Name.Decorator: "f",
    Token.Name.Tag: "k",
    Token.Literal.Number: "n",
}


@cache
def _class(kind: _TokenType) -> str:
    assert kind in STANDARD_TYPES or kind.parent is not None
    return next((name for group, name in GROUPS.items() if kind in group), "")


def escape(text: str) -> str:
    """The text as HTML, with nothing in it that hides."""
    return markup.escape(visible(text) if not text.isprintable() else text)


def prose(text: str) -> str:
    """Our own words as HTML; what stands in `backquotes` is code."""
    return re.sub("`(.+?)`", r"<code>\1</code>", escape(text))
