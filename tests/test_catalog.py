"""Test the manifest and the lookup of labs in it."""

import shutil

import pytest

from labkit.catalog import (
    DID_YOU_MEAN,
    Catalog,
    CatalogError,
    absence,
    catalog,
    copy_port,
)
from labkit.commands.check import MAKE_COPY
from labkit.text_format import command_line


@pytest.mark.parametrize(
    "name",
    ["3", "03", "cookie_cart", "03_cookie_cart", "labs/03_cookie_cart", "labs/03_cookie_cart/"],
)
def test_a_lab_goes_by_several_names(checkout, name):
    lab = checkout.find(name)
    assert (lab.number, lab.port, lab.twin) == ("03", 8003, "04")


@pytest.mark.parametrize("name", ["99", "basket", ""])
def test_an_unknown_lab_is_named_beside_those_there_are(checkout, name):
    with pytest.raises(CatalogError, match="01, 02, 03, "):
        checkout.find(name)


@pytest.mark.parametrize(
    ("name", "labs"),
    [
        ("cart", ["03_cookie_cart", "04_session_cart"]),
        ("Greeting", ["07_cookie_greeting"]),
        ("sesion_login", ["11_session_login"]),
        ("3_cookie_cart", ["03_cookie_cart"]),
    ],
)
def test_part_of_a_name_is_answered_with_a_question(own_checkout, said, name, labs):
    question = DID_YOU_MEAN.format(names=" or ".join(labs))
    for command in ("run", "reset", "diff", "list"):
        status, text = said(command, name)
        assert (status, text) == (1, f"Error: {absence(name)} {question}")


def test_the_checkout_around_the_current_folder_comes_first(tmp_path, monkeypatch):
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs" / "labs.toml").write_text("lab = []")
    (tmp_path / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "down")
    assert catalog().root == tmp_path


def test_elsewhere_it_is_the_one_labkit_runs_from(tmp_path, monkeypatch, checkout):
    monkeypatch.chdir(tmp_path)
    assert catalog().root == checkout.root


@pytest.mark.parametrize(
    ("text", "sentence"), [(None, r"labs\.toml\.$"), ("lab = [", "labs.toml .*Invalid value")]
)
def test_a_manifest_that_cannot_be_read_is_one_sentence(tmp_path, text, sentence):
    (tmp_path / "labs").mkdir()
    if text is not None:
        (tmp_path / "labs" / "labs.toml").write_text(text)
    with pytest.raises(CatalogError, match=sentence):
        Catalog(tmp_path).find("03")


COMMANDS = "run {}", "check {}", "reset {}", "copy {} other", "check 03 --as {}"


@pytest.mark.parametrize("name", ["nothere", "notes.txt", "folder", "mine/lab", "folder/nothere"])
def test_a_name_that_is_nothing_says_why(own_checkout, said, name):
    said("copy", "02", "mine")
    (own_checkout / "notes.txt").touch()
    (own_checkout / "folder").mkdir()
    sentences = set()
    for command in COMMANDS:
        status, text = said(*command.format(name).split())
        assert status == 1
        sentences.add(
            text.partition(" The labs are ")[0].partition(MAKE_COPY.partition("{")[0])[0].strip()
        )
    if not (own_checkout / name).is_dir():  # `lab diff` accepts any folder that exists
        assert absence(name) in said("diff", "03", name)[1]
    assert sentences == {f"Error: {absence(name)}"}


def test_each_kind_of_absence_is_a_sentence_of_its_own(own_checkout, said):
    said("copy", "02", "mine")
    (own_checkout / "notes.txt").touch()
    (own_checkout / "folder").mkdir()
    found = {absence(name).replace(name, "") for name in ("x", "notes.txt", "folder", "mine/lab")}
    assert len(found) == 4


def test_a_missing_copy_comes_with_the_line_that_makes_it(own_checkout, said):
    text = said("check", "my cart", "--as", "03")[1]
    assert MAKE_COPY.format(line=command_line("lab", "copy", "03", "my cart")) in text


def same_port(folder):
    """Return two names with the same port, which depends on a checksum of the name."""
    seen = {}
    for number in range(10_000):
        name = f"copy{number}"
        port = copy_port(folder / name)  # the folder contains no copies yet
        if port in seen:
            return seen[port], name
        seen[port] = name
    raise AssertionError


def test_no_two_copies_have_one_port(own_checkout, said):
    first, second = same_port(own_checkout)
    for names in ((second, first), (first, second)):
        ports = {}
        for name in names:
            assert said("copy", "02", name)[0] == 0
            ports[name] = Catalog(own_checkout).find(name).port
        again = {name: Catalog(own_checkout).find(name).port for name in names}
        assert again == ports  # a copy that was made first keeps its port
        assert len(set(ports.values())) == 2
        for name in names:
            shutil.rmtree(own_checkout / name)
