"""Settings for Django's own tests: SQLite, and a runner that uses the visitor."""

from test_sqlite import *  # noqa: F403 of Django's tests

TEST_RUNNER = "django_client_runner.VisitorRunner"
