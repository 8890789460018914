"""Test that the script that rewords visible sentences finds them, and changes nothing else."""

import pytest
import reword


@pytest.fixture
def root(tmp_path):
    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
        return tmp_path

    return write


def texts(root):
    return [sentence.text.strip("'\"f") for sentence in reword.find_sentences(root)]


@pytest.mark.parametrize(
    ("text", "reworded"),
    [
        ("one two three four", "two one four three"),
        ("one two {name} three four", "two one {name} four three"),
        ("the code `lab run 03` is it", "code the `lab run 03` it is"),
        ("see [the labs here](labs.md) for more", "see [the labs here](labs.md) more for"),
        ("one\ntwo", "one\ntwo"),
    ],
)
def test_neighbours_are_swapped_and_names_stay(text, reworded):
    assert reword.reword(text) == reworded


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "labs/01/lab/templates/a.html",
            "<p>{% if x %}This is all so {{ it }}{% endif %}</p>",
        ),
        ("labs/01/lab/views.py", '"""Say what this does."""\nx = _("This is really so plain.")\n'),
        ("labs/notes.toml", 'name = "counts"\ntext = "This is really so plain."\n'),
        ("labs/01/README.md", "# A heading of this lab\n\nThis is really so plain.\n"),
        (
            "src/labkit/cli.py",
            'x = "SELECT one FROM two three"\ny = f"This is so plain."\n',
        ),
    ],
)
def test_only_visible_text_is_found(root, path, text):
    found = texts(root(path, text))
    assert len(found) == 1
    assert found[0].startswith("This is")


def test_no_text_of_tests_is_found(root):
    assert texts(root("labs/01/tests/test_a.py", 'x = "This is really so plain."\n')) == []


def test_a_sentence_is_reworded_wherever_it_occurs(root):
    folder = root("labs/01/lab/a.html", "<p>Put it into this cart.</p>")
    root("labs/02/lab/a.html", "<p>Put it into this cart.</p><b>Stay as you are.</b>")
    first = next(reword.find_sentences(folder))
    assert reword.reword_in(folder, [first]) == [first]
    assert (folder / "labs/01/lab/a.html").read_text() == "<p>it Put this into cart.</p>"
    rest = "<b>Stay as you are.</b>"
    assert (folder / "labs/02/lab/a.html").read_text() == f"<p>it Put this into cart.</p>{rest}"
