"""What `lab compare carts` says of this lab is so."""

from labkit.compare.probes import agree, carts, each


@each(carts)
def test_what_the_table_says_is_so(question, request):
    agree("carts", question, request)
