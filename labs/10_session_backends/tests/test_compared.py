"""Tests of each engine's answers in `lab compare engines`."""

from lab import engines
from labkit.catalog import catalog
from labkit.compare.probes import check_answer, every_probe
from labkit.comparison_tables import Tables
from tests import probes


@every_probe(probes)
def test_what_the_table_says_is_so(engine, probe, request):
    check_answer("engines", probe, request, engine)


SAME = {
    "restart": "server_restarted",
    "second": "two_processes",
    "end": "server_ends_it",
    "replay": "replay",
    "read": "visitor_can_read",
    "queries": "queries_to_look",
}


def test_it_says_what_the_table_on_the_page_says():
    table = Tables(catalog()).find("engines")
    for name, row in engines.TABLE.items():
        if "Redis" in name:
            continue
        variant = name.partition(",")[0]
        on_page = dict(zip(engines.COLUMNS, row.split(engines.SEPARATOR), strict=True))
        expected = {
            column: table.question(id_).cells[variant].answer for column, id_ in SAME.items()
        }
        assert expected == {column: on_page[column] for column in SAME}
        without = table.question("without_migrate").cells[variant].answer
        assert {without, on_page["migrate"]} == {"yes", "no"}
