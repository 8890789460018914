"""Tests of this lab's answers in `lab compare counts`."""

from labkit.compare.probes import check_answer, counts, every_probe


@every_probe(counts)
def test_what_the_table_says_is_so(probe, request):
    check_answer("counts", probe, request)
