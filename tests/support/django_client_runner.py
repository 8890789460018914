"""Run Django's own tests with the visitor instead of django.test.Client."""

import json
import os
from pathlib import Path

import django.test
from django.test.runner import DiscoverRunner
from django_client import RESULTS

from labkit.testing import Visitor


class VisitorAsClient(Visitor):
    """A visitor that takes Client's arguments and, like Client, disables CSRF checks."""

    def __init__(self, enforce_csrf_checks=False, raise_request_exception=True, **options):
        options["raise_request_exception"] = raise_request_exception
        super().__init__(enforce_csrf_checks=enforce_csrf_checks, **options)


# This runs before the test modules are imported.
django.test.Client = django.test.client.Client = VisitorAsClient
django.test.SimpleTestCase.client_class = VisitorAsClient


class VisitorRunner(DiscoverRunner):
    """Django's runner, which also records failed tests."""

    def suite_result(self, suite, result, **options):
        """Return the number of failed tests; write {test: reason} and the total number."""
        failed = {}
        for test, why in [*result.failures, *result.errors]:
            failed[getattr(test, "test_case", test).id()] = why
        for test in result.unexpectedSuccesses:
            failed[test.id()] = "It passes, although Django expects it to fail."
        found = {"ran": result.testsRun, "failed": failed}
        Path(os.environ[RESULTS]).write_text(json.dumps(found), encoding="utf-8")
        return len(failed)
