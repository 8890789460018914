"""`clearexpired` where there is nothing to clear; what it clears is tested in lab 09."""

import pytest
from django.core.management import CommandError, call_command


def test_a_project_without_sessions_is_told_so():
    with pytest.raises(CommandError, match="keeps no sessions"):
        call_command("clearexpired")
