"""Tests of this lab's answers in `lab compare carts`."""

from labkit.compare.probes import carts, check_answer, every_probe


@every_probe(carts)
def test_what_the_table_says_is_so(probe, request):
    check_answer("carts", probe, request)
