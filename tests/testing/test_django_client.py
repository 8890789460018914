"""Test that the nox session `django-client` fails on undeclared and on obsolete differences."""

import pytest
from django_client import judge

DECLARED = {"least": 2, "difference": [{"tests": ["a", "b"], "why": "on purpose"}]}


@pytest.mark.parametrize(
    ("ran", "failed", "wrong"),
    [
        (9, ["a", "b"], 0),
        (9, ["a", "b", "c"], 1),
        (9, ["a"], 1),
        (9, [], 2),
        (1, ["a", "b"], 1),
    ],
)
def test_only_declared_tests_may_fail(ran, failed, wrong):
    assert len(judge({"ran": ran, "failed": dict.fromkeys(failed, "why")}, DECLARED)) == wrong
