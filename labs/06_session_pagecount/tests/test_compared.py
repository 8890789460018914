"""What `lab compare counts` says of this lab is so."""

from labkit.compare.probes import agree, counts, each


@each(counts)
def test_what_the_table_says_is_so(question, request):
    agree("counts", question, request)
