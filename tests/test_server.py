"""A lab on a server of the tests' own touches nothing of anybody's."""

from labkit.testing.server import LabServer


def test_a_database_url_in_the_shell_is_not_followed(checkout, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "mysql://root@127.0.0.1:1/somebodys_own")
    lab = checkout.find("04")
    server = LabServer(lab.folder, migrate=True)
    assert (server.state / "04" / "db.sqlite3").exists()
    server.stop()
    assert not server.state.exists()
