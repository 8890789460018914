"""Text is plain English: phrases with a better wording fail, with file, line and that wording.

What had them when this began is listed in prose_exceptions.toml, and that list only shrinks.
"""

import subprocess
import sys

import prose
import pytest
from prose import Offence

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
    "What … (docstring)": ('"""What it is."""', '"""Return what it is."""'),
    "Whether … (docstring)": ('"""Whether so."""', '"""Return True if so."""'),
}


def phrases(path: str, text: str) -> list[str]:
    return [offence.rule.phrase for offence in prose.find_offences(path, text)]


@pytest.fixture(scope="module")
def offences() -> list[Offence]:
    return prose.find_all_offences(prose.ROOT)


class TestThisCheckout:
    def test_no_phrase_beyond_the_exceptions(self, offences):
        listed, counts = prose.load_exceptions(), prose.count_offences(offences)
        excess = [
            f"{offence}  (here {count} times, {allowed} listed as exceptions)"
            for offence in offences
            if (count := counts[offence.path][offence.rule.phrase])
            > (allowed := listed.get(offence.path, {}).get(offence.rule.phrase, 0))
        ]
        assert not excess, "\n".join(["Reword:", *excess])

    def test_no_exception_is_listed_in_vain(self, offences):
        _, gone = prose.compare(prose.count_offences(offences), prose.load_exceptions())
        assert not gone, "\n".join([f"Reworded, run {prose.SHRINK}:", *gone])


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


class TestTheListOfExceptions:
    def test_more_and_fewer_are_both_noticed(self):
        listed = {"a.md": {"anew": 2, "till": 1}}
        assert prose.compare(listed, listed) == ([], [])
        assert prose.compare({"a.md": {"anew": 3, "till": 1}}, listed)[0]
        assert prose.compare({"a.md": {"anew": 1, "till": 1}}, listed)[1]
        assert prose.compare({"b.md": {"anew": 1}}, {}) != ([], [])

    def test_it_is_written_as_it_is_read(self, tmp_path):
        listed = {"a.md": {"anew": 2}, "b.md": {"is no …": 1}}
        prose.write_exceptions(listed, tmp_path / "list.toml")
        assert prose.load_exceptions(tmp_path / "list.toml") == listed

    def test_its_command_refuses_to_add(self, tmp_path):
        script = tmp_path / "tests" / "support" / "prose.py"
        script.parent.mkdir(parents=True)
        script.write_text(prose.__loader__.get_source(prose.__name__), encoding="utf-8")
        exceptions = tmp_path / "tests" / "prose_exceptions.toml"
        prose.write_exceptions({"a.md": {"anew": 1, "till": 1}}, exceptions)

        def run(text: str) -> int:
            (tmp_path / "a.md").write_text(text, encoding="utf-8")
            command = [sys.executable, str(script)]
            return subprocess.run(command, capture_output=True, check=False).returncode

        assert run("anew, anew") == 1
        assert prose.load_exceptions(exceptions) == {"a.md": {"anew": 1, "till": 1}}
        assert run("anew") == 0
        assert prose.load_exceptions(exceptions) == {"a.md": {"anew": 1}}
