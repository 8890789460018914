"""`python manage.py clearexpired`: clearsessions in small batches, for use during a class."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser

from labkit.base.session_cleanup import BATCH, clear_expired

NO_SESSIONS = "Nothing expires here: this project keeps no sessions."


class Command(BaseCommand):
    """See labkit.base.session_cleanup."""

    help = (
        "Deletes the sessions that have expired, as clearsessions does, but in small batches, so "
        "that nobody who is in a session waits for long."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--batch", type=int, default=BATCH, help=f"rows that go at a time ({BATCH})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not apps.is_installed("django.contrib.sessions"):
            raise CommandError(NO_SESSIONS)
        if options["batch"] < 1:
            raise CommandError("--batch takes a number from 1 up.")
        gone = sum(clear_expired(options["batch"]))
        if options["verbosity"]:
            self.stdout.write(f"{gone} expired sessions deleted.")
