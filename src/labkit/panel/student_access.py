"""The one place that decides what students may read: a lab's code, and the handout's answers."""

from pathlib import Path

from django.conf import settings
from django.http import HttpRequest

from labkit.catalog import state_path, writable
from labkit.kept_files import write_whole
from labkit.panel.access import is_local_instructor
from labkit.panel.exchange_log import SERVER

SWITCH = "answers_over_lan"  # a file in the state folder
SHOWN, HIDDEN = "shown", "hidden"


def may_read_code(request: HttpRequest) -> bool:
    """Return whether the lab's code is shown to this visitor; today it always is."""
    return True


def may_read_answers(request: HttpRequest) -> bool:
    """Return whether the answers of the lab's handout are shown to this visitor.

    They are on this machine, which includes the servers of `lab run --servers`. Over the network
    the instructor's switch in the console decides.
    """
    own_machine = is_local_instructor(request) or bool(SERVER)
    return own_machine or answers_over_lan(state_path(settings.FOLDER).parent)


def answers_over_lan(state: Path) -> bool:
    """Return whether students over the network see answers; False unless switched on.

    state: the folder for everything that is written, see `labkit.catalog.state_home`.
    """
    try:
        return (state / SWITCH).read_text(encoding="ascii").strip() == SHOWN
    except (OSError, ValueError):
        return False


def show_answers_over_lan(state: Path, shown: bool) -> None:
    """Show or hide the answers for students over the network. Raises OSError, CatalogError."""
    write_whole(writable(state) / SWITCH, SHOWN if shown else HIDDEN, private=True)
