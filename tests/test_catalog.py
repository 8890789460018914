"""The manifest, and finding a lab in it."""

import pytest

from labkit.catalog import Catalog, CatalogError, catalog


@pytest.mark.parametrize(
    "name",
    ["3", "03", "cookie_cart", "03_cookie_cart", "labs/03_cookie_cart", "labs/03_cookie_cart/"],
)
def test_a_lab_goes_by_several_names(checkout, name):
    lab = checkout.find(name)
    assert (lab.number, lab.port, lab.twin) == ("03", 8003, "04")


@pytest.mark.parametrize("name", ["99", "cart", "", "3_cookie_cart"])
def test_an_unknown_lab_is_named_beside_those_there_are(checkout, name):
    with pytest.raises(CatalogError, match="01, 02, 03, "):
        checkout.find(name)


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
