"""Text is plain English. Each phrase to avoid is reported with its place and a better wording."""

import prose
import pytest

EXAMPLES = {
    "anew": ("Start anew.", "Start again."),
    "is none": ("A name that is none.", "There is none. `value is None`"),
    "is no …": ("It is no dictionary.", "There is no row, it is no longer there."),
    "of its own": ("It has a cookie of its own.", "It has its own cookie."),
    "no row of this visitor's": ("It is no row of this visitor's.", "It is a row of a visitor."),
    "opens nothing": ("A key that opens nothing.", "It opens. Nothing else."),
    "Chinese signs": ("40 Chinese signs", "40 Chinese characters"),
    "save over": ("Both saved over\nit.", "It saved. Over there."),
    "as ever": ("As ever, it is lost.", "It was ever lost."),
    "and no more": ("40 items, and no more.", "1 and no more than 3"),
    "till": ("till noon", "until noon, still"),
    "meanwhile": ("Meanwhile, wait.", "In the meantime, wait."),
    "besides": ("It sends two besides.", "It sits beside it."),
    "Else, …": ("It is lost. Else wait.", "nothing else"),
    "whoever": ("for whoever reads", "for the reader, who ever reads"),
    "somebody": ("Somebody else", "some body"),
    "is told": ("The server is told.", "They told."),
    "nobody told": ("as nobody told it", "nobody is there"),
    "comes along": ("It comes along with it.", "It comes with it, along the way."),
    "to be so": ("It was seen to be so.", "to be something"),
    "too long an address": ("Too long an address", "URI too long"),
    "lies in the …": ("It lies in the store.", "It is stored in the store."),
    "the one wrote": ("It lost what the one wrote.", "the one that is left"),
    "foretold": ("as foretold", "as expected"),
    "so many": ("at most so many bytes", "so many that it fails, at most this many bytes"),
    "put back": ("It is put back.", "It is restored."),
    "in the end": ("What it has in the end.", "What it has at the end."),
    "stands in the …": ("It stands in the table.", "It stands for the table."),
    "makes of it": ("What Django makes of it.", "Django makes it."),
    "What … (docstring)": ('"""What it is."""', '"""Return what it is."""'),
    "Whether … (docstring)": ('"""Whether so."""', '"""Return True if so."""'),
    "Where … (docstring)": ('"""Where it is."""', '"""The place of it."""'),
    "Have … (docstring)": ('"""Have it end."""', '"""Make it end."""'),
}


def phrases(path: str, text: str) -> list[str]:
    return [offence.rule.phrase for offence in prose.find_offences(path, text)]


def test_no_text_has_a_phrase_to_reword():
    assert not [str(offence) for offence in prose.find_all_offences(prose.ROOT)]


class TestRules:
    @pytest.mark.parametrize("rule", prose.RULES, ids=lambda rule: rule.phrase)
    def test_each_finds_its_phrase_alone(self, rule):
        bad, good = EXAMPLES[rule.phrase]
        path = "page.py" if rule in prose.OF_DOCSTRINGS else "page.html"
        assert rule.phrase in phrases(path, bad)
        assert rule.phrase not in phrases(path, good)

    def test_python_is_read_but_for_its_code(self):
        source = 'anew = till  # as\n# ever\nx = ("opens "\n     f"nothing {anew} meanwhile")\n'
        assert sorted(phrases("a.py", source)) == ["anew", "as ever", "meanwhile", "opens nothing"]

    def test_no_phrase_reaches_across_code(self):
        assert phrases("a.py", 'x = "as" + "ever"\n') == []

    def test_a_line_is_where_the_phrase_begins(self):
        (found,) = prose.find_offences("a.md", "One.\n\nIt opens\nnothing.")
        assert str(found).startswith("a.md:3: ")
        assert found.rule.better in str(found)
