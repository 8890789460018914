"""What `lab compare wizard` says of each carrier is so."""

import pytest

from labkit.compare.probes import agree, each, wizards
from labkit.compare.probes.wizards import wizard  # noqa: F401 the questions ask for it


@pytest.mark.parametrize("carrier", ["cookie", "hidden", "session", "url"])
@each(wizards)
def test_what_the_table_says_is_so(carrier, question, request):
    agree("wizard", question, request, carrier)
