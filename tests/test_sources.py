"""labs/sources.toml: every section is used, and its links are well formed."""

import re
from urllib.parse import urlsplit

import pytest

from labkit.comparison_tables import Tables
from labkit.sources import MALFORMED, Source, load_sources, parse_source
from labkit.textbook_claims import Ledger
from labkit.textbook_versions import all_versions


def reasons(checkout):
    """Yield each claim, pitfall, table reason and textbook version, with its sources."""
    for entry in Ledger(checkout).entries:
        yield entry.id, entry.sources
    for table in Tables(checkout).all:
        for question in table.questions:
            for variant, cell in question.cells.items():
                if cell.why:
                    yield f"{table.id}/{question.id}/{variant}", cell.sources
    for version in all_versions(checkout):
        yield version.full_name, version.sources


def test_every_reason_has_a_well_formed_source(checkout):
    found = dict(reasons(checkout))
    assert len(found) > 94 + 47
    for name, sources in found.items():
        assert sources, name
        for source in sources:
            url = urlsplit(source.url)
            assert (url.scheme, bool(url.path)) == ("https", True), name
            assert "." in url.hostname, name


def test_every_listed_source_is_used(checkout):
    used = {source for _, sources in reasons(checkout) for source in sources}
    assert set(load_sources(checkout.root).values()) <= used


def test_no_url_is_listed_twice(checkout):
    urls = [source.url for source in load_sources(checkout.root).values()]
    assert len(set(urls)) == len(urls)


def test_a_title_may_have_a_colon():
    assert parse_source("A: b: https://x.org/#c") == Source("A: b", "https://x.org/#c")


@pytest.mark.parametrize(
    "text", ["https://x.org/", "A: http://x.org/", "A: https:///x", "A: https://x.org/ b", 5]
)
def test_a_malformed_source_is_refused(text):
    with pytest.raises(ValueError, match=re.escape(MALFORMED)):
        parse_source(text)
