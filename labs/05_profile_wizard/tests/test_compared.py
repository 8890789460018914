"""Test each carrier's answers in `lab compare wizard`."""

import pytest

from labkit.compare.probes import check_answer, every_probe
from tests import probes
from tests.probes import wizard  # noqa: F401 a fixture of the probes

WITHOUT_DATABASE = [
    pytest.param(each, marks=pytest.mark.no_database) for each in ("cookie", "hidden")
]


@pytest.mark.parametrize("carrier", [*WITHOUT_DATABASE, "session", "key_in_url"])
@every_probe(probes)
def test_what_the_table_says_is_so(carrier, probe, request):
    check_answer("wizard", probe, request, carrier)
