"""Test `clearexpired` with nothing to delete; lab 09 has its other tests."""

import pytest
from django.core.management import CommandError, call_command

from labkit.base.management.commands.clearexpired import NO_SESSIONS


def test_a_project_without_sessions_is_told_so():
    with pytest.raises(CommandError, match=NO_SESSIONS):
        call_command("clearexpired")
