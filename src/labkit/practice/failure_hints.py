"""Explain a failed test in plain words, with advice on how to fix it."""

import ast
import contextlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from labkit.practice.assertions import (
    explain_assertion,
    find_assertion,
    is_assertion,
    shorten,
)
from labkit.practice.settings_names import find_name_in_settings
from labkit.testing.pytest_runner import Outcome, Place, Stop


class Hint(NamedTuple):
    """A common failure, and how to fix it."""

    pattern: str  # a regular expression to search for in pytest's message
    meaning: str  # a sentence in which {0} stands for the pattern's first group
    advice: str = ""  # empty if the advice would depend on the lab


class Explanation(NamedTuple):
    """Why a test failed or was skipped, and what to do about it if that is known."""

    reason: str
    advice: str = ""
    code: str = ""  # the line of the copy's code that caused the failure
    # A text that is equal for all tests with the same cause; "" if the cause is not known.
    cause: str = ""


NO_SESSIONS_APP = Hint(
    r"django\.contrib\.sessions\.models\.Session doesn't declare",
    "The app django.contrib.sessions is not installed, so there is no table for sessions.",
    'Add "django.contrib.sessions" to INSTALLED_APPS in lab/settings.py.',
)
NO_DATABASE = Hint(
    r"settings\.DATABASES is improperly configured",
    "The settings name no database.",
    "Add the line DATABASES = conf.databases(FOLDER) to lab/settings.py.",
)
NO_SESSION_MIDDLEWARE = Hint(
    r"object has no attribute 'session'",
    "The request has no session.",
    'Add "django.contrib.sessions.middleware.SessionMiddleware" to MIDDLEWARE in '
    "lab/settings.py, before CommonMiddleware.",
)
NO_FILE_PATH = Hint(
    r"object has no attribute 'SESSION_FILE_PATH'|Unable to use the file-based session",
    "The session engine `file` has no folder.",
    "Add the line SESSION_FILE_PATH = conf.session_files(FOLDER) to lab/settings.py.",
)
NOTHING_IN_SESSION = Hint(
    r"Session matching query does not exist",
    "The table of sessions has no row: the code stores nothing in a session.",
    "Store in request.session what is stored in cookies now.",
)
OTHER_COOKIE_NAME = Hint(
    r"KeyError: 'sessionid_\d\d'",
    "The browser has no session cookie of this name.",
    'Add the line SESSION_COOKIE_NAME = f"sessionid_{LAB}" to lab/settings.py.',
)
SETUP = [  # in the order in which students should fix them
    NO_SESSIONS_APP,
    NO_DATABASE,
    NO_SESSION_MIDDLEWARE,
    NO_FILE_PATH,
    NOTHING_IN_SESSION,
    OTHER_COOKIE_NAME,
]
EXCEPTIONS = [  # exceptions that the copy's code raises
    Hint(
        r"reading from stdin while output is captured|wait for the keyboard",
        "This waits for the keyboard, which a check does not have.",
        "Remove breakpoint() or input().",
    ),
    Hint(
        r"The view ([\w.]+) didn't return an HttpResponse object\. It returned None",
        "{0} ends without a return on at least one path, so it returns None.",
        "Return a response on every path.",
    ),
    Hint(
        r"TemplateDoesNotExist: (\S+)",
        "There is no template {0}.",
        "Compare the name with the files in lab/templates.",
    ),
    Hint(r"TemplateSyntaxError: ", "Django cannot parse a template.", "Look for the tag it names."),
    Hint(
        r"NoReverseMatch: Reverse for '(\w*)' (?:not found|with)",
        "No URL pattern is called {0}, or it takes other arguments.",
        "The names of all patterns are in lab/urls.py.",
    ),
    Hint(
        r"CookieError: (?:Illegal key|Attempt to set a reserved key)",
        "This cannot be a cookie's name: no spaces, commas or non-ASCII letters, and not path.",
        "Encode it first, as cookie_name() does.",
    ),
    Hint(
        r"MultiValueDictKeyError: ['\"](\w+)",
        "The code reads the field {0}, which this request does not have.",
        'Use a form, or .get("{0}").',
    ),
    Hint(
        r"RuntimeError: dictionary (?:changed size|keys changed) during iteration",
        "A loop over a dictionary adds or deletes entries of the same dictionary.",
        "Loop over a copy: for name in list(…).",
    ),
    Hint(
        r"(?:IndentationError|TabError): ",
        "The indentation does not fit the lines around it.",
        "Indent each block by four spaces.",
    ),
    Hint(r"SyntaxError: ", "Python cannot read this line, or the one before it."),
    Hint(
        r"(?:NameError|UnboundLocalError): .*?'(\w+)'",
        "Nothing is called {0} at this point.",
        "Look for a typing error, a missing import or a missing assignment.",
    ),
    Hint(
        r"(?:ImportError: cannot import name|ModuleNotFoundError: No module named) '([\w.]+)'",
        "There is nothing called {0} to import.",
        "Compare the name with the module that has it.",
    ),
    Hint(
        r"AttributeError: (?:partially initialized )?module '([\w.]+)' has no attribute '(\w+)'",
        "{0} has nothing called {1}.",
        "Compare the name with the module that has it.",
    ),
    Hint(
        r"AttributeError: '\w+' object has no attribute 'cleaned_data'",
        "A form has cleaned_data only after is_valid() was called.",
        "Call is_valid() first.",
    ),
    Hint(
        r"TypeError: Object of type (\w+) is not JSON serializable",
        "A session is stored as JSON, and JSON has no {0}.",
        "Store numbers, strings, lists and dictionaries.",
    ),
    Hint(
        r"TypeError: (\w+)\(\) (?:missing|takes|got an unexpected)",
        "{0}() does not accept these arguments.",
        "Compare the call with the line that begins with def {0}.",
    ),
    Hint(
        r"^KeyError: ['\"](\w+)['\"]",
        "The code reads or deletes the entry {0}, which does not exist.",
        'Use .get("{0}") to read, and .pop("{0}", None) to delete.',
    ),
]
HINTS = [
    *SETUP,
    Hint(
        r"'NoneType' object has no attribute '(value|expires|http_only|same_site|pair|host_only)'",
        "The browser does not have the cookie that this looks for.",
    ),
    Hint(r"^KeyError: '(\w+_\d\d\w*)'", "The browser does not have the cookie {0}."),
]
HANDLERS = "django/core/handlers/"  # part of a path in each traceback from a request
UNWRITTEN = "Write {name}() in {path}."
# Patterns for places in the text of an error: Python's, and those of pytest's short tracebacks.
PLACES = (r'^(?:E +)? *File "(.+)", line (\d+)', r"^(?:E +)?([^\s:]+\.py):(\d+): in ")
BEFORE_ERROR = ("File ", "Traceback", "ImportError while loading conftest", "ERROR:")
ERROR = re.compile(r"^(?:E +)?([\w.]+(?:Error|Exception|Configured|DoesNotExist)\b.*)$", re.M)


def explain(message: str, places: list[tuple[str, int]], stage: Path, name: str) -> Explanation:
    """Return what went wrong and, if known, what to do about it.

    `places`: (path, line) for each frame of the traceback. A path in `stage`, the folder that was
    tested, is shown as a path in the copy called `name`.
    """
    # The place of a SyntaxError, or of an error before the first test, is in its message.
    inside = [found[:2] for pattern in PLACES for found in re.findall(pattern, message, re.M)]
    code = [(path, int(line), "") for path, line in [*places, *inside]]
    where = find_place(code, stage, name)
    error = error_line(message.replace(str(stage), name))
    if not where and (found := find_name_in_settings(error, stage / "lab" / "settings.py")):
        reason = f"{name}/lab/settings.py, line {found.line}{found.list}: {shorten(error)}"
        return Explanation(reason, found.advice, found.code, reason)
    for hint in SETUP if where else HINTS:
        if match := re.search(hint.pattern, message, re.M):
            meaning = hint.meaning.format(*match.groups())
            return Explanation(meaning, hint.advice, cause=meaning if hint.advice else "")
    if where and error.startswith("NotImplementedError") and (task := _unwritten(code, stage)):
        return Explanation(task, cause=task)
    if where and not is_assertion(error):
        reason = f"{where}: {shorten(error)}"
        line = _line_of(code, stage)
        for hint in EXCEPTIONS:
            if match := re.search(hint.pattern, f"{error}\n{message}", re.M):
                words = f"{hint.meaning} {hint.advice}".strip()
                return Explanation(reason, words.format(*match.groups()), line, reason)
        return Explanation(reason, code=line, cause=reason)
    # Django may raise the exception, for example while it renders a template
    for hint in EXCEPTIONS:
        if match := re.search(hint.pattern, error, re.M):
            meaning = hint.meaning.format(*match.groups())
            return Explanation(shorten(error), f"{meaning} {hint.advice}".strip(), cause=error)
    difference = message.partition("\n")[2]
    return Explanation(explain_assertion(error, find_assertion(places, stage), difference))


def explain_stop(stop: Stop, stage: Path, name: str) -> Explanation:
    """Return why the tests ended early or never ended, and where in the copy that happened.

    The other parameters are those of `explain`.
    """
    for stack in stop.stacks:
        if where := find_place(stack, stage, name):
            line = _line_of(stack, stage)
            return Explanation(f"{where}: {stop.sentence}", code=line, cause=stop.cause)
    return Explanation(stop.sentence, cause=stop.cause)


def error_line(message: str) -> str:
    """Return the line of pytest's message that names the exception."""
    first = message.strip().partition("\n")[0]
    errors = ERROR.findall(message)
    if first.startswith(BEFORE_ERROR) and errors:
        return str(errors[-1])
    return first


def is_crash(test: Outcome) -> bool:
    """Return whether a request of this failed test caused a server error."""
    error = error_line(test.message)
    if is_assertion(error):
        return bool(re.match(r"[\w.]*BrokenPromise: (server error|traceback)", error))
    return test.outcome == "failed" and any(HANDLERS in Path(p).as_posix() for p, _ in test.places)


def find_place(stack: Sequence[Place], stage: Path, name: str) -> str:
    """Return the innermost place in the copy's code, with its caller, or "" if there is none."""
    in_lab = _in_lab(stack, stage)
    calls = [
        f"{name}/{path.relative_to(stage).as_posix()}, line {line}"
        + (f", in {function}" if function.isidentifier() else "")
        for path, line, function in in_lab[-2:]
    ]
    if len(calls) > 1 and in_lab[-1][2].isidentifier():
        return f"{calls[1]}, called from {calls[0]}"
    return calls[-1] if calls else ""


def _in_lab(stack: Sequence[Place], stage: Path) -> list[tuple[Path, int, str]]:
    places = [(stage / path, line, function) for path, line, function in stack]
    return [place for place in places if place[0].is_relative_to(stage / "lab")]


def _line_of(stack: Sequence[Place], stage: Path) -> str:
    """Return the innermost line of the copy's code in a stack, or "" if there is none."""
    for path, number, _ in reversed(_in_lab(stack, stage)):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return shorten(lines[number - 1].strip()) if 0 < number <= len(lines) else ""
    return ""


def _unwritten(stack: Sequence[Place], stage: Path) -> str:
    """Return a sentence that names the copy's function without code, or "" if there is none."""
    for path, line, _ in reversed(_in_lab(stack, stage)):
        with contextlib.suppress(OSError, SyntaxError, ValueError):
            nodes = ast.walk(ast.parse(path.read_bytes()))
            functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
            around = [f for f in functions if f.lineno <= line <= (f.end_lineno or line)]
            if around:
                where = path.relative_to(stage).as_posix()
                return UNWRITTEN.format(name=around[-1].name, path=where)
    return ""
