"""Test `lab copy`, which makes a copy that runs alongside its lab."""

import codecs
import os
import shlex
import shutil
import socket
import stat
import subprocess
import sys

import pytest
from click.testing import CliRunner
from serving import page, running

from labkit import cli
from labkit.base import conf
from labkit.base.cookie_names import cookie_name, names_from_cookies
from labkit.catalog import Catalog, state_dir, state_path
from labkit.commands.serve import ONLY_LABS
from labkit.diff import compare, comparison, find_sides
from labkit.diff.data_classes import NOT_COMPARED, NOTHING_BUT_ENDINGS, ONLY_ENDINGS
from labkit.practice import copies
from labkit.testing.contracts import CartPages, number
from labkit.testing.wire_visitor import WireVisitor
from labkit.text_format import command_line


@pytest.fixture
def mine(own_checkout, said):
    """Return the folder mine/ with a copy of lab 03; it is in a separate checkout."""
    assert said("copy", "03", "mine/")[0] == 0
    return own_checkout / "mine"


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def in_pytest(folder, *arguments):
    """Run pytest on a copy, as a student does; return its last line of output."""
    clean = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder.parent,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


# Making a copy


def test_a_copy_says_what_can_be_done_with_it(own_checkout, said):
    status, text = said("copy", "03", "mine/")
    assert status == 0
    assert "_mine" in text
    for line in (".lab/mine", "lab run mine/", "lab diff 03 mine/", "lab check mine/ --as 04"):
        assert line in text
    copied = own_checkout / "mine"
    original = own_checkout / "labs" / "03_cookie_cart"
    names = sorted(p.relative_to(original) for p in original.rglob("*") if p.is_file())
    assert sorted(p.relative_to(copied) for p in copied.rglob("*") if p.is_file()) == names
    assert all((copied / n).read_bytes() == (original / n).read_bytes() for n in names)


def test_a_copy_overwrites_nothing(own_checkout, said):
    (own_checkout / "mine").mkdir()
    # An empty folder contains no files that could be overwritten.
    assert said("copy", "03", "mine")[0] == 0
    (own_checkout / "mine" / "lab" / "storage.py").write_text("my own")
    status, text = said("copy", "04", "mine")
    assert status == 1
    assert copies.TARGET_EXISTS.format(target="mine") in text
    assert (own_checkout / "mine" / "lab" / "storage.py").read_text() == "my own"
    (own_checkout / "file").touch()
    assert said("copy", "04", "file")[0] == 1


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("03_mine", copies.NUMBER_OF_LAB.format(name="03_mine", number="03")),
        ("12", copies.NUMBER_OF_LAB.format(name="12", number="12")),
        ("labs/mine", copies.FOR_LABS.format(reserved="labs")),
        ("labs/03_cookie_cart/mine", copies.FOR_LABS.format(reserved="labs")),
        (".lab/mine", copies.FOR_LABS.format(reserved=".lab")),
        ("mariadb", copies.STATE_RESERVED.format(name="mariadb", number="mariadb")),
        ("mine/lab/mine", copies.INSIDE_LAB.format(target="mine/lab/mine")),
    ],
)
def test_a_copy_keeps_out_of_everyones_way(own_checkout, said, target, sentence):
    said("copy", "03", "mine")
    status, text = said("copy", "03", target)
    assert status == 1
    assert sentence in text
    assert not (own_checkout / target).exists()


def test_a_copy_has_a_number_a_port_and_a_title_of_its_own(mine):
    checkout = Catalog(mine.parent)
    for name in ("mine", "mine/", "./mine", str(mine)):
        copied = checkout.find(name)
        assert (copied.number, copied.original) == ("mine", "03")
        assert copied.title == "A cart kept in cookies"
        assert 8200 <= copied.port < 8900
        assert not copied.database
    assert checkout.find("03").number == "03"
    assert checkout.find("labs/03_cookie_cart") in checkout.labs


def test_a_lab_of_another_checkout_is_not_taken_for_ours(mine, tmp_path):
    elsewhere = tmp_path / "elsewhere" / "03_cookie_cart"
    shutil.copytree(mine, elsewhere)
    assert Catalog(mine.parent).find(str(elsewhere)).folder == elsewhere


def test_a_copy_runs_beside_the_original(mine, own_checkout):
    cart = CartPages()
    with running("03") as original, running("mine/") as copied:
        assert "<b>mine</b> A cart kept in cookies" in page(f"{copied.url}/")
        visitor = WireVisitor(int(original.url.rpartition(":")[2]))
        cart.put(visitor, "apple", 3)
        other = WireVisitor(int(copied.url.rpartition(":")[2]))
        other.jar = visitor.jar  # one cookie jar, since cookies ignore ports
        assert cart.cart(other) == {}
        cart.put(other, "pear", 1)
        assert cart.cart(other) == {"pear": 1}
        assert cart.cart(visitor) == {"apple": 3}
    assert sorted(path.name for path in (own_checkout / ".lab").iterdir()) == ["03", "mine"]
    assert "mine A cart kept in cookies: http://127.0.0.1" in copied.output


def test_a_copy_with_sessions_is_migrated_and_reset(own_checkout, said):
    said("copy", "06", "mine")
    with running("mine") as copied:
        visitor = WireVisitor(int(copied.url.rpartition(":")[2]))
        assert [number(visitor.get("/")) for _ in range(2)] == [1, 2]
        assert [cookie.name for cookie in visitor.jar] == ["csrftoken_mine", "sessionid_mine"]
    assert (own_checkout / ".lab" / "mine" / "db.sqlite3").exists()
    status, text = said("reset", "mine")
    assert status == 0
    assert "rows in SQLite" in text


def test_a_copy_runs_by_manage_py(own_checkout, said):
    said("copy", "06", "mine")
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd="mine", capture_output=True, text=True, check=False)
    assert "no issues" in done.stdout


def test_the_tests_of_a_copy_pass_under_the_number_of_its_lab(mine):
    status, output = in_pytest(mine, "-k", "where_is or flags or expires_on_time")
    assert status == 0, output[-2000:]
    edit(mine / "lab" / "storage.py", "quantity, LIFETIME,", "quantity, None,")
    status, output = in_pytest(mine, "-k", "expires_on_time")
    assert status == 1


def test_only_a_copy_takes_another_number(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_AS", "04")
    monkeypatch.setenv("LAB_STATE_DIR", str(tmp_path))
    assert conf.number(tmp_path / "mine") == "04"
    assert conf.number(tmp_path / "03_cookie_cart") == "03"
    monkeypatch.setenv("LAB_AS", "../x")
    assert state_dir(tmp_path / "mine") == tmp_path / conf.number(tmp_path / "mine")
    assert conf.number(tmp_path / "mine").startswith("mine-")


def test_a_copy_differs_in_what_was_changed_and_in_nothing_else(mine, said):
    assert "Nothing differs." in said("diff", "03", "mine/")[1]
    edit(mine / "lab" / "storage.py", "LIFETIME = 120", "LIFETIME = 60")
    edit(mine / "README.md", "Run", "Walk")
    status, text = said("diff", "mine/")  # compared with the original lab
    assert status == 0
    assert text.startswith("- 03 ")
    assert "1 change in 1 file" in text
    assert "LIFETIME = [-120-] # seconds" in text
    assert "LIFETIME = {+60+} # seconds" in text
    assert NOT_COMPARED in text
    checkout = Catalog(mine.parent)
    assert len(compare(checkout, *find_sides(checkout, "mine")).hunks) == 1


def with_windows_line_endings(folder, mark=b""):
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_bytes(mark + path.read_bytes().replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8], ids=["CRLF", "CRLF and a mark"])
def test_a_copy_from_windows_is_still_that_copy(mine, said, mark):
    with_windows_line_endings(mine, mark)
    copied = Catalog(mine.parent).find("mine")
    assert (copied.original, copied.title) == ("03", "A cart kept in cookies")
    assert NOTHING_BUT_ENDINGS in said("diff", "mine")[1]
    storage = mine / "lab" / "storage.py"
    storage.write_bytes(storage.read_bytes().replace(b"LIFETIME = 120", b"LIFETIME = 60"))
    text = said("diff", "mine")[1]
    assert "1 change in 1 file" in text
    assert comparison.ENDINGS_TOO in text
    assert "lab/views.py" in text.partition(ONLY_ENDINGS)[2]


def test_a_session_copy_from_windows_has_its_database(own_checkout, said):
    said("copy", "06", "mine")
    with_windows_line_endings(own_checkout / "mine", codecs.BOM_UTF8)
    assert Catalog(own_checkout).find("mine").database


COPIES = ["a-b", "a_b", "a b", "a.b", "03-x", "mine", "mine_2", "week1/mine", "week2/mine"]


def test_copies_do_not_share_cookies_or_state(own_checkout, said):
    """Each copy stores a cart. It sees neither another copy's cart nor that of lab 03."""
    jars, places = [], set()
    for name in COPIES:
        assert said("copy", "03", name)[0] == 0
        copied = Catalog(own_checkout).find(f"./{name}")
        prefix = f"cart_{copied.number}_"
        jars.append((prefix, cookie_name(prefix, "apple")))
        places.add(state_path(copied.folder))
    assert len(places) == len(COPIES)
    cookies = {cookie: "1" for _, cookie in jars}
    for prefix, _ in [*jars, ("cart_03_", "")]:
        expected = {"apple": "1"} if prefix != "cart_03_" else {}
        assert names_from_cookies(prefix, cookies) == expected


def test_printed_commands_can_be_pasted(own_checkout, monkeypatch):
    monkeypatch.delenv("PSModulePath", raising=False)
    output = CliRunner().invoke(cli.main, ["copy", "02", "mein Wagen [/done]"]).output
    lines = [shlex.split(line)[:4] for line in output.splitlines() if line.startswith("    lab ")]
    folder = "mein Wagen [/done]/"
    assert [words[1:3] for words in lines] == [["run", folder], ["diff", "02"], ["check", folder]]
    assert CliRunner().invoke(cli.main, lines[1][1:]).exit_code == 0


def test_brackets_in_a_title_are_printed(mine, said):
    title = "My cart [/done] [b] :apple:"
    (mine / "README.md").write_text(f"# 03 {title}\n", encoding="utf-8")
    status, text = said("reset", "mine")
    assert status == 0
    assert f"mine {title}: " in text


def test_a_busy_port_of_a_copy_names_its_folder(own_checkout, said):
    assert said("copy", "02", "my copies/one")[0] == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        text = said("run", "my copies/one", "--port", str(taken.getsockname()[1]))[1]
    assert command_line("lab", "run", "my copies/one", "--port") in text


def test_serving_a_copy_names_the_command_for_it(mine, said):
    status, text = said("serve", "--only", "03,mine")
    assert status == 1
    assert ONLY_LABS.partition("{")[0] in text


def test_a_copy_of_a_read_only_checkout_can_be_changed(own_checkout, said):
    lab = own_checkout / "labs" / "02_cookie_pagecount"
    for path in [*lab.rglob("*"), lab]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert said("copy", "02", "mine")[0] == 0
    for path in [lab, *lab.rglob("*")]:
        path.chmod(0o755)
    mine = own_checkout / "mine"
    assert all(path.stat().st_mode & stat.S_IWUSR for path in [mine, *mine.rglob("*")])


def test_a_copy_that_fails_leaves_nothing(own_checkout, said):
    lab = own_checkout / "labs" / "02_cookie_pagecount"
    os.mkfifo(lab / "lab" / "pipe")
    status, text = said("copy", "02", "mine")
    assert status == 1
    assert "lab/pipe" in text
    assert not (own_checkout / "mine").exists()
