"""Explain a failing test in plain words, with advice on what to do about it."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from labkit.testing.pytest_runner import Place, Stop


class Hint(NamedTuple):
    """A failure that students meet in the exercise, and how to repair it."""

    pattern: str  # a regular expression, found in pytest's message
    meaning: str  # {0} stands for the first group of the pattern
    advice: str = ""  # "" if it depends on the lab


class Explanation(NamedTuple):
    """Why a test failed or was skipped, and what to do about it, "" if that is not known."""

    reason: str
    advice: str = ""


NO_SESSIONS_APP = Hint(
    r"django\.contrib\.sessions\.models\.Session doesn't declare",
    "Nobody makes a table for sessions.",
    'Put "django.contrib.sessions" into INSTALLED_APPS, in lab/settings.py.',
)
NO_DATABASE = Hint(
    r"settings\.DATABASES is improperly configured",
    "There is no database.",
    "Give lab/settings.py a line DATABASES = conf.databases(FOLDER).",
)
NO_SESSION_MIDDLEWARE = Hint(
    r"object has no attribute 'session'",
    "A request comes without a session.",
    'Put "django.contrib.sessions.middleware.SessionMiddleware" into MIDDLEWARE, before '
    "CommonMiddleware, in lab/settings.py.",
)
NO_FILE_PATH = Hint(
    r"object has no attribute 'SESSION_FILE_PATH'|Unable to use the file-based session",
    "The engine file has no folder to write into.",
    "Give lab/settings.py a line SESSION_FILE_PATH = conf.session_files(FOLDER).",
)
NOTHING_IN_SESSION = Hint(
    r"Session matching query does not exist",
    "The table of sessions has no row: nothing was put into a session.",
    "Keep in request.session what is kept in cookies until now.",
)
OTHER_COOKIE_NAME = Hint(
    r"KeyError: 'sessionid_\d\d'",
    "The browser does not hold the session's cookie under this name.",
    'Give lab/settings.py a line SESSION_COOKIE_NAME = f"sessionid_{LAB}".',
)
HINTS = [  # in the order in which a student follows them
    NO_SESSIONS_APP,
    NO_DATABASE,
    NO_SESSION_MIDDLEWARE,
    NO_FILE_PATH,
    NOTHING_IN_SESSION,
    OTHER_COOKIE_NAME,
    Hint(
        r"'NoneType' object has no attribute '(value|expires|http_only|same_site|pair|host_only)'",
        "The browser does not hold the cookie that this asks for.",
    ),
    Hint(r"KeyError: '(\w+_\d\d\w*)'", "The browser does not hold the cookie {0}."),
    Hint(
        r"reading from stdin while output is captured|wait for the keyboard",
        "This waits for the keyboard, which a check does not have. Remove breakpoint() or input().",
    ),
]
# "assert left == right", as pytest writes it; quoted text may have any of these words in it
TEXT = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|.+?"""
COMPARED = re.compile(rf"(?:AssertionError: )?assert ({TEXT}) (==|!=|not in|in|is not|is) (.+)")
FOUND = {
    "==": "There is {0}, where {1} was expected.",
    "!=": "There is {0}, and it should be something else.",
    "in": "{0} is missing in {1}.",
    "not in": "{0} should not be in {1}.",
    "is": "There is {0}, where {1} was expected.",
    "is not": "There is {0}, and it should not be.",
}
LONGEST = 160  # characters of what was found
# Places in the text of an error: of Python, and of pytest's short tracebacks
PLACES = (r'^(?:E +)? *File "(.+)", line (\d+)', r"^(?:E +)?([^\s:]+\.py):(\d+): in ")


def explain(message: str, places: list[tuple[str, int]], stage: Path, name: str) -> Explanation:
    """Return what is wrong and, if known, what to do about it.

    `places` are the (path, line) of the traceback. A path in `stage`, the folder that was tested,
    is shown as one in the copy called `name`.
    """
    # A SyntaxError, or an error before the first test, has its place in its message.
    inside = [found[:2] for pattern in PLACES for found in re.findall(pattern, message, re.M)]
    code = [(path, int(line), "") for path, line in [*places, *inside]]
    where = _where(code, stage, name)
    for hint in HINTS:
        if match := re.search(hint.pattern, message):
            meaning = hint.meaning.format(*match.groups())
            if hint.advice or not where:
                return Explanation(meaning, hint.advice)
            return Explanation(f"{where}: {meaning}", f"Look at {where}.")
    text = message.replace(str(stage), name).strip()
    errors = re.findall(r"^(?:E +)?([\w.]+(?:Error|Exception|Configured)\b.*)$", text, re.M)
    first = text.partition("\n")[0]
    if first.startswith(("File ", "Traceback", "ImportError while loading conftest")) and errors:
        first = errors[-1]
    if where and not first.startswith(("AssertionError", "assert")):
        return Explanation(f"{where}: {_shorten(first)}", f"Look at {where}.")
    if match := COMPARED.fullmatch(first):
        left, sign, right = match.groups()
        if left.isdecimal() and right.isdecimal() and sign == "==":
            left, right = _name_status(left), _name_status(right)
        return Explanation(FOUND[sign].format(_shorten(left), _shorten(right)))
    return Explanation(_shorten(errors[-1] if errors else first))


def explain_stop(stop: Stop, stage: Path, name: str) -> Explanation:
    """Return why the tests ended early or never ended, and where in the copy that happened.

    The parameters after the first are those of `explain`.
    """
    places = (_where(stack, stage, name) for stack in stop.stacks)
    if where := next(filter(None, places), ""):
        return Explanation(f"{where}: {stop.sentence}", f"Look at {where}.")
    return Explanation(stop.sentence)


def _where(stack: Sequence[Place], stage: Path, name: str) -> str:
    """Return the innermost place in the copy's code, with the function that called it; or ""."""
    code = [(stage / path, line, function) for path, line, function in stack]
    in_lab = [place for place in code if place[0].is_relative_to(stage / "lab")]
    calls = [
        f"{name}/{path.relative_to(stage).as_posix()}, line {line}"
        + (f", in {function}" if function.isidentifier() else "")
        for path, line, function in in_lab[-2:]
    ]
    if len(calls) > 1 and in_lab[-1][2].isidentifier():
        return f"{calls[1]}, called from {calls[0]}"
    return calls[-1] if calls else ""


def _name_status(number: str) -> str:
    """Return "422 Unprocessable Entity" for this number, or any other number as it is."""
    known = {str(status.value): status.phrase for status in HTTPStatus}
    return f"{number} {known.get(number, '')}".rstrip()


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def next_step(failed: list[tuple[str, Explanation]]) -> str:
    """Return the first thing to do for these (test, explanation); "" if nothing failed."""
    if not failed:
        return ""
    if advices := [explanation.advice for _, explanation in failed if explanation.advice]:
        order = [hint.advice for hint in HINTS]
        return min(advices, key=lambda a: order.index(a) if a in order else len(order))
    test, explanation = failed[0]
    return f'Make "{test}" hold. {explanation.reason}'
