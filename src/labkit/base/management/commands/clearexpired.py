"""The command `manage.py clearexpired`, which works like clearsessions but in small batches."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser

from labkit.base.session_cleanup import BATCH, clear_expired

NO_SESSIONS = "This project has no sessions, so nothing can expire."


class Command(BaseCommand):
    """Delete expired sessions in small batches with labkit.base.session_cleanup."""

    help = (
        "Deletes expired sessions like clearsessions, but in small batches, so that no visitor "
        "waits for long."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--batch", type=int, default=BATCH, help=f"rows per batch (default: {BATCH})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not apps.is_installed("django.contrib.sessions"):
            raise CommandError(NO_SESSIONS)
        if options["batch"] < 1:
            raise CommandError("--batch must be at least 1.")
        gone = sum(clear_expired(options["batch"]))
        if options["verbosity"]:
            self.stdout.write(f"Deleted {gone} expired sessions.")
