"""What a failing test means, in plain words, and what to do about it."""

import re
from http import HTTPStatus
from pathlib import Path

# Where in the message, what it means, and what to do; in the order in which one does it.
HINTS = [
    (
        r"django\.contrib\.sessions\.models\.Session doesn't declare",
        "Nobody makes a table for sessions.",
        'Put "django.contrib.sessions" into INSTALLED_APPS, in lab/settings.py.',
    ),
    (
        r"settings\.DATABASES is improperly configured",
        "There is no database.",
        "Give lab/settings.py a line DATABASES = conf.databases(FOLDER).",
    ),
    (
        r"object has no attribute 'session'",
        "A request comes without a session.",
        'Put "django.contrib.sessions.middleware.SessionMiddleware" into MIDDLEWARE, before '
        "CommonMiddleware, in lab/settings.py.",
    ),
    (
        r"object has no attribute 'SESSION_FILE_PATH'|Unable to use the file-based session",
        "The engine file has no folder to write into.",
        "Give lab/settings.py a line SESSION_FILE_PATH = conf.session_files(FOLDER).",
    ),
    (
        r"Session matching query does not exist",
        "The table of sessions has no row: nothing was put into a session.",
        "Keep in request.session what is kept in cookies until now.",
    ),
    (
        r"KeyError: 'sessionid_\d\d'",
        "The browser does not hold the session's cookie under this name.",
        'Give lab/settings.py a line SESSION_COOKIE_NAME = f"sessionid_{LAB}".',
    ),
]
# Without a thing to do: it depends on the lab what that is.
MEANINGS = [
    (
        r"'NoneType' object has no attribute '(value|expires|http_only|same_site|pair|host_only)'",
        "The browser does not hold the cookie that this asks for.",
    ),
    (r"KeyError: '(\w+_\d\d\w*)'", "The browser does not hold the cookie {0}."),
]
# "assert left == right", as pytest writes it; texts may have any of these words in them
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


def in_words(
    message: str, places: list[tuple[str, int]], stage: Path, name: str
) -> tuple[str, str]:
    """(what is wrong, what to do about it or ""); paths are told as those of the copy."""
    for pattern, meaning, todo in HINTS:
        if re.search(pattern, message):
            return meaning, todo
    for pattern, meaning in MEANINGS:
        if match := re.search(pattern, message):
            return meaning.format(*match.groups()), ""
    # A SyntaxError has its own place in its message, as has what went wrong before any test.
    inside = re.findall(r'^(?:E +)? +File "(.+)", line (\d+)', message, re.M)
    code = [(Path(path), int(line)) for path, line in [*places, *inside]]
    code = [(path if path.is_absolute() else stage / path, line) for path, line in code]
    own = [(p, line) for p, line in code if p.is_relative_to(stage / "lab")]
    told = message.replace(str(stage), name).strip()
    errors = re.findall(r"^(?:E +)?([\w.]+(?:Error|Exception|Configured)\b.*)$", told, re.M)
    first = told.partition("\n")[0]
    if first.startswith(("File ", "Traceback")) and errors:
        first = errors[-1]
    if own and not first.startswith(("AssertionError", "assert")):
        path, line = own[-1]
        where = f"{name}/{path.relative_to(stage).as_posix()}, line {line}"
        return f"{where}: {_short(first)}", f"Look at {where}."
    if match := COMPARED.fullmatch(first):
        left, sign, right = match.groups()
        if left.isdecimal() and right.isdecimal() and sign == "==":
            left, right = _status(left), _status(right)
        return FOUND[sign].format(_short(left), _short(right)), ""
    return _short(errors[-1] if errors else first), ""


def _status(number: str) -> str:
    """ "422 Unprocessable Entity", where the number is such a status; else the number."""
    known = {status.value: status.phrase for status in HTTPStatus}
    return f"{number} {known[int(number)]}" if int(number) in known else number


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def next_step(failed: list[tuple[str, str, str]]) -> str:
    """The first thing to do for these (sentence, reason, todo); empty where nothing failed."""
    if not failed:
        return ""
    order = {todo: at for at, (_, _, todo) in enumerate(HINTS)}
    known = [todo for _, _, todo in failed if todo in order]
    if known:
        return min(known, key=order.__getitem__)
    for _, _, todo in failed:
        if todo:
            return todo
    sentence, reason, _ = failed[0]
    return f'Make "{sentence}" hold. {reason}'
