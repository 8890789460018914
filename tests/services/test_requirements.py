"""labkit.services.requirements finds what an environment lacks."""

from labkit.services import requirements


def test_an_installation_with_old_plugins_lacks_labkit(monkeypatch):
    assert "labkit" not in requirements.missing_requirements(["dev"])
    monkeypatch.setattr(requirements.metadata, "entry_points", lambda group: ())
    assert "labkit" in requirements.missing_requirements(["dev"])
