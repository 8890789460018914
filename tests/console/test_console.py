"""Test the console's pages on a real `lab serve`; the labs report made-up exchanges."""

import html
import json
import re
import urllib.request
from urllib.parse import quote, urlencode, urlsplit

import pytest
from elements import find, links, texts
from serving import copy_of, serving, until

from labkit.catalog import Catalog
from labkit.console.live_exchanges import ahead
from labkit.console.views import LOG_BYTES
from labkit.diff import Notes, compare, find_sides, html_page
from labkit.http.cookie_rules import Rule
from labkit.panel import live_report
from labkit.testing.accessibility import complaints_at_both_ends
from labkit.textbook_claims import Ledger

TOLD = {
    "number": 12,
    "at": "2026-11-21T10:17:03+00:00",
    "visitor": "A3",
    "method": "POST",
    "path": "/add/",
    "status": 302,
    "steps": [[{"text": "POST /add/ <b>", "place": "wire", "highlight": ""}]],
    "url": "/__lab__/exchange/abc/",
    "host": "elsewhere.example:80",
}
SENTENCE = "POST /add/ <b>"
COOKIE = "/console/cookie/?set_cookie="
PAGES = {
    "labs": "/console/",
    "a question": "/console/?ask=03",
    "a question about all": "/console/?ask=all",
    "a result": "/console/?done=03",
    "a result of all": "/console/?done=all",
    "live": "/console/live/",
    "live in one lab": "/console/live/?lab=03&visitor=A3",
    "claims": "/console/claims/?lab=03",
    "a cookie": "/console/cookie/",
    "a refused cookie": f"{COOKIE}a%3D1%3BDomain%3Dcom&source=https://shop.example/&cause=typed",
    "differences": "/console/diff/",
    "twins": "/console/diff/02/06/",
    "two engines": "/console/diff/10:db/10:signed_cookies/",
    "teaching": "/console/docs/teaching/",
    "practice": "/console/practice/?lab=03",
    "a textbook version": "/console/practice/version/03:names-as-cookies/",
    "an exercise": "/console/practice/exercise/red-apple/",
    "a solution": "/console/practice/solution/red-apple/",
    "class": "/console/class/",
    "handout": "/console/lab/05/",
    "answers": "/console/lab/05/?answers=shown",
    "code": "/console/lab/04/code/",
    "log": "/console/lab/03/log/",
    "no such page": "/console/nothing/",
}


@pytest.fixture(scope="module")
def folder(checkout, tmp_path_factory):
    return copy_of(checkout, tmp_path_factory.mktemp("console"))


@pytest.fixture(scope="module")
def house(folder):
    """Labs 03, 04 and 05. They report a file's content, invalid data, and exchanges."""
    telling(folder, "03_cookie_cart", "open(TOLD).read()")
    telling(folder, "04_session_cart", "'{\"exchanges\": [{}, 7'")
    tell(folder, TOLD)
    with serving(folder, "--only", "03,04,05") as house:
        yield house


def telling(folder, lab, expression):
    """Set the response that this lab returns at the URL that lists its exchanges."""
    settings = folder / "labs" / lab / "lab" / "settings.py"
    panel = '    "labkit.panel.middleware.observe",\n'
    assert panel in settings.read_text()
    settings.write_text(settings.read_text().replace(panel, ""))
    urls = folder / "labs" / lab / "lab" / "urls.py"
    urls.write_text(
        urls.read_text()
        + f"""
from django.http import HttpResponse  # noqa: E402

TOLD = {str(folder / "told.json")!r}
urlpatterns.insert(
    0, path("__lab__/exchanges.json", lambda request: HttpResponse({expression}))
)
"""
    )


def tell(folder, *exchanges, **beside):
    (folder / "told.json").write_text(json.dumps({"exchanges": exchanges} | beside))


def step(text, highlight="", place="store"):
    """An exchange whose summary has a single part, in the form that a lab reports."""
    return [{"text": text, "place": place, "highlight": highlight}]


def rows(house, query=""):
    """Return the text of each row on the page Live, once lab 03 has responded."""
    page = shown(house, "data-exchange", f"/console/live/{query}")
    return texts(page, "//tr[@data-exchange]/td[4]")


def shown(house, what, path="/console/live/"):
    """Return the page once it contains this text. The page omits a lab that responds too late."""

    def look():
        page = house.page(path)
        return page if what in page else ""

    return until(look)


# The content of the pages


def test_the_front_page_leads_the_instructor_to_the_console(house):
    status, _, headers = house.ask("/")
    assert (status, headers["Location"]) == (302, "/console/")


@pytest.mark.parametrize(
    ("fields", "stored", "sent", "rule"),
    [
        ({"set_cookie": "a=1; Path=/"}, "stored", ["yes"], None),
        ({"set_cookie": "a=1; Domain=com"}, "refused", [], Rule.PUBLIC_SUFFIX),
        ({"set_cookie": "a=; Max-Age=0"}, "deleted", [], None),
        (
            {"set_cookie": "a=1; SameSite=Lax", "cause": "form", "initiator": "https://b.example/"},
            "stored",
            ["no"],
            Rule.UNSAFE_METHOD,
        ),
    ],
    ids=["stored", "refused", "deleted", "not sent"],
)
def test_a_cookie_is_explained(house, fields, stored, sent, rule):
    fields = {"source": "https://shop.example/", "cause": "typed"} | fields
    page = house.page(f"/console/cookie/?{urlencode(fields)}")
    assert find(page, "//@data-stored") == [stored]
    assert find(page, "//@data-sent") == sent
    linked = find(page, "//main//a[starts-with(@href, 'https://')]/@href")
    assert linked == ([rule.url] if rule else [])


@pytest.mark.parametrize(
    ("set_cookie", "marks"),
    [
        ("a=1; Max-Age=abc", ["warning"]),
        ("a=1; Domain=com; SameSite=None", ["repaired", "never-sent"]),
        ("a=; Max-Age=0", ["never-sent"]),
    ],
)
def test_a_cookies_page_says_what_happens_instead(house, set_cookie, marks):
    fields = {"set_cookie": set_cookie, "source": "https://shop.example/", "cause": "typed"}
    page = house.page(f"/console/cookie/?{urlencode(fields | {'target': fields['source']})}")
    for mark in ("warning", "repaired", "never-sent"):
        assert bool(find(page, f"//*[@data-{mark}]")) is (mark in marks)
    assert bool(find(page, "//table")) is (marks == ["warning"])


def test_a_wrong_url_is_named_beside_its_field(house):
    fields = {"set_cookie": "a=1", "source": "nowhere", "cause": "typed"}
    status, page, _ = house.ask(f"/console/cookie/?{urlencode(fields)}")
    assert status == 422
    assert find(page, "//div[.//input[@name='source']]//*[@role='alert']")


def test_each_lab_has_a_row_in_teaching_order(house, checkout):
    page = house.page()
    for number in ("03", "04", "05"):
        row = f"//li[@id='lab-{number}']"
        assert texts(page, f"{row}/h3") == [f"{number} {checkout.find(number).title}"]
        assert find(page, f"{row}//*[@class='visit']/a/@href") == [
            f"http://127.0.0.1:{house.port + int(number)}/",
            f"http://localhost:{house.port + int(number)}/",
        ]
        paths = [f"/console/lab/{number}/", f"/console/lab/{number}/code/"]
        paths += [f"/console/diff/?lab={number}", f"/console/lab/{number}/log/"]
        paths.append(f"http://127.0.0.1:{house.port + int(number)}/__lab__/visit/")
        assert find(page, f"{row}/*[@class='pages']/a/@href") == paths
        assert find(page, f"{row}//*[@data-state]/@data-state") == ["running"]
        assert find(page, f"{row}//button[@value='{number}']")
    meetings = find(page, "//section[.//li[@id]]")
    rows = [(m.findtext("h2"), *(li.get("id") for li in m.iter("li"))) for m in meetings]
    assert rows == [("Meeting 2", "lab-03", "lab-04"), ("Meeting 3", "lab-05")]


def test_a_form_without_a_token_is_refused(house):
    for path in ("/console/reset/", "/console/restart/"):
        assert house.ask(path, method="POST", fields={"lab": "03"})[0] == 403
        assert house.ask(path)[0] == 405
    assert house.state("03") == "running"


def test_its_one_cookie_is_never_sent_to_a_lab(house):
    _, _, headers = house.ask("/console/")
    (cookie,) = headers.get_all("Set-Cookie")
    assert cookie.startswith("csrftoken_console=")
    for part in ("Path=/console/", "HttpOnly", "SameSite=Strict"):
        assert part in cookie
    assert "expires" not in cookie.lower()


def test_pages_load_what_is_their_own_and_stand_in_no_frame(house):
    for path in PAGES.values():
        _, page, headers = house.ask(path)
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert re.findall(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", page) == []


def test_a_handout_is_rendered_and_its_answers_are_closed(house):
    page = house.page("/console/lab/05/")
    (heading,) = find(page, "//article/h1")
    assert re.fullmatch("05[a-z-]+", heading.get("id"))
    assert find(page, "//article/table")
    assert find(page, "//details/summary")
    assert not find(page, "//details[@open]")
    opened = house.page("/console/lab/05/?answers=shown")
    assert len(find(opened, "//details[@open]")) == len(find(page, "//details")) > 4
    assert "`" not in texts(house.page("/console/lab/04/"), "//article")[0]


def test_a_question_is_read_as_markdown(house, folder):
    readme = folder / "labs" / "04_session_cart" / "README.md"
    readme.write_text(
        readme.read_text() + "\n<details><summary>Is `x` it?</summary>\n\nNo.\n</details>\n"
    )
    assert texts(house.page("/console/lab/04/"), "(//summary)[last()]/code") == ["x"]


def test_links_of_handouts_lead_to_pages_of_the_console(house, folder):
    assert find(house.page("/console/lab/03/"), "//article//a[@href='/console/lab/04/']")
    page = house.page("/console/lab/04/")
    address = f"http://127.0.0.1:{house.port + 4}/"  # the lab's actual URL
    assert links(page, f"//article//a[@href='{address}']") == {address: address}
    readme = folder / "labs" / "03_cookie_cart" / "README.md"
    readme.write_text(
        readme.read_text()
        + "\n[a](../../docs/claims.md#lab-03) [b](../../docs/claims.md) [c](lab/views.py) "
        "[d](../06_session_pagecount/README.md) [e](../../docs/teaching.md#the-order) [f](#run) "
        "[g](https://docs.djangoproject.com/) [h](../../../../etc/passwd)\n"
    )
    page = house.page("/console/lab/03/")
    for link in (
        '<a href="/console/claims/?lab=03">a</a>',
        '<a href="/console/claims/">b</a>',
        '<a href="/console/lab/03/code/#lab-views-py">c</a>',
        " d ",  # not served
        '<a href="/console/docs/teaching/#the-order">e</a>',
        '<a href="#run">f</a>',
        '<a href="https://docs.djangoproject.com/">g</a>',
        " h<",
    ):
        assert link in page


def test_the_page_for_instructors_has_every_lab_with_a_time(house, checkout):
    page = house.page("/console/docs/teaching/")
    rows = texts(page, "//tr")
    for lab in checkout.labs:
        assert any(re.match(rf"\d+ {lab.number} .* \d\d ", row) for row in rows), lab.number
    assert len(find(page, "//h2[@id]")) > 3
    assert house.ask("/console/docs/nothing/")[0] == 404
    assert house.ask("/console/docs/../README/")[0] == 404


def test_code_stands_in_reading_order_highlighted(house):
    page = house.page("/console/lab/04/code/")
    names = [text.partition(" ")[0] for text in texts(page, "//h2[@id]")]
    assert names == [
        "lab/settings.py",
        "lab/urls.py",
        "lab/forms.py",
        "lab/storage.py",
        "lab/views.py",
        "lab/templates/add.html",
        "lab/templates/display.html",
        "lab/templates/index.html",
        "lab/templates/info.html",
        "lab/templates/nav.html",
        "lab/templates/base.html",
        "tests/test_browser.py",
        "tests/test_cart.py",
        "tests/test_compared.py",
    ]
    assert texts(page, "//*[@id='lab-views-py-1']/*[@class='k']") == ["from", "import"]
    page = house.page("/console/lab/05/code/")
    names = [text.partition(" ")[0] for text in texts(page, "//h2[@id]")]
    assert names.index("lab/views.py") < names.index("lab/carriers/cookie.py")
    assert names.index("lab/leaks.py") < names.index("lab/templates/index.html")


def test_every_entry_links_its_sources(house, checkout):
    page = house.page("/console/claims/")
    for entry in Ledger(checkout).entries:
        place = f"//li[@id='{entry.id}']"
        assert find(page, f"{place}//*[@class='quiet sources']/a/@href") == [
            source.url for source in entry.sources
        ]
        assert texts(page, f"{place}//*[@data-why]") == [entry.why.replace("`", "")]


def test_the_ledger_can_be_filtered(house, checkout):
    def shown(**wanted):
        page = house.page("/console/claims/?" + "&".join(f"{k}={v}" for k, v in wanted.items()))
        found = find(page, "//ol[@class='claims']/li/@id")
        assert find(page, "//*[@role='status']/@data-count") == [str(len(found))]
        return found

    everything = shown()
    assert {"C01", "B45"} <= set(everything)
    assert all(id_.startswith("B") for id_ in shown(kind="pitfall"))
    of_three = shown(lab="03")
    assert 0 < len(of_three) < len(everything)
    assert set(shown(lab="03", kind="claim")) < set(of_three)
    assert set(shown(verdict="wrong")) < set(shown(kind="claim"))
    entry = Ledger(checkout).entries[1]
    for words in (entry.text.lower(), entry.why, entry.sources[0].title):
        assert entry.id in shown(text=quote(words))
        assert shown(text=quote(f"{words} zebra")) == []
    assert shown(lab="nothing", verdict="%3Cb%3E") == []


def test_pages_of_labs_that_are_not_served_are_not_there(house):
    for path in ("/console/lab/06/", "/console/lab/99/code/", "/console/lab/x/log/"):
        assert house.ask(path)[0] == 404
    assert house.ask("/console/static/nothing.css")[0] == 404
    assert house.ask("/console/static/../settings.py")[0] == 400


# Differences


def test_every_pair_has_a_page_with_all_that_lab_diff_shows(house, folder):
    checkout = Catalog(folder)
    for pair in Notes(checkout).pairs():
        alone = html_page.html(compare(checkout, *find_sides(checkout, *pair)))
        page = house.page("/console/diff/{}/{}/".format(*pair))
        for part in ("//h1", "//dl[@class='sides']", "//*[@data-code]", "//article"):
            assert texts(page, part) == texts(alone, part) != [], pair
        assert texts(page, "//*[@class='ending']/p") == texts(alone, "//footer/p")
    back = texts(house.page("/console/diff/06/02/"), "//article")
    assert len(back) == len(texts(house.page("/console/diff/02/06/"), "//article"))


def test_the_list_leads_to_every_pair(house, folder):
    page = house.page("/console/diff/")
    for one, two in Notes(Catalog(folder)).pairs():
        if one.startswith(("05:", "10:")):
            for name in (one, two):
                assert len(find(page, f"//option[text()='{name}']")) == 2
            status, _, headers = house.ask(f"/console/diff/?this={one}&that={two}")
            assert (status, headers["Location"]) == (302, f"/console/diff/{one}/{two}/")
        else:
            assert find(page, f"//a[@href='/console/diff/{one}/{two}/']")
    page = house.page("/console/diff/10:file/10:cache/")
    chosen = texts(page, "//option[@selected]")
    assert chosen == ["10:file", "10:cache"]


def test_a_lab_leads_to_its_diff_and_the_diff_back(house):
    def led(number):
        status, _, headers = house.ask(f"/console/diff/?lab={number}")
        return headers["Location"] if status == 302 else status

    for number in ("03", "04"):
        link = f"//a[@href='/console/diff/?lab={number}']"
        assert find(house.page(f"/console/lab/{number}/"), link)
        assert find(house.page(), link)
        assert led(number) == "/console/diff/03/04/"
        page = house.page("/console/diff/03/04/")
        assert find(page, f"//a[@href='/console/lab/{number}/']")
    assert led("11") == "/console/diff/11:careful/11:careless/"
    assert led("10") == "/console/diff/#lab-10"
    assert find(house.page("/console/diff/"), "//*[@id='lab-10']")
    assert led("09") == led("x") == 404
    not_served = house.page("/console/diff/02/06/")
    assert not find(not_served, "//a[starts-with(@href, '/console/lab/')]")


@pytest.mark.parametrize(
    "path",
    ["03/99", "99/03", "03/05:paper", "03:x/04", "labs/03", "03_cookie_cart/04", "%2e%2e/03"],
)
def test_only_what_the_manifest_has_is_compared(house, path):
    assert house.ask(f"/console/diff/{path}/")[0] == 404
    one, two = path.split("/")
    assert house.ask(f"/console/diff/?this={one}&that={two}")[0] == 404


def test_code_that_cannot_be_read_is_one_sentence(house, folder):
    carrier = folder / "labs" / "05_profile_wizard" / "lab" / "carriers" / "cookie.py"
    kept = carrier.read_text()
    carrier.write_text("def load(:\n")
    status, page, _ = house.ask("/console/diff/05:cookie/05:key_in_url/")
    carrier.write_text(kept)
    assert status == 500
    (reason,) = [text for text in texts(page, "//main/p") if "carriers/cookie.py" in text]
    assert "invalid syntax" in reason


# Reset


def reset(house, **fields):
    """Press a reset button; return (URL, page once the labs are ready)."""
    place, hosts = house.submit("/console/reset/", **fields).headers["Location"], []
    while place.startswith("http") and "?" not in place:  # the redirects through all host names
        url = urlsplit(place)
        hosts.append(url.hostname)
        place = house.ask(url.path, Host=url.netloc)[2]["Location"]
    assert hosts in ([], ["127.0.0.1", "localhost"])
    place = place.removeprefix(house.url(""))
    path = place.partition("#")[0]

    def look():
        page = house.page(path)
        return "" if find(page, "//*[@data-note='changing']") else page

    return place, until(look)


def test_an_idle_lab_is_reset_at_once(house, folder):
    tell(folder, active=0)
    worker = house.worker(3)
    place, page = reset(house, lab="03")
    assert place == "/console/?done=03&expired=1#lab-03"
    assert find(page, "//li[@id='lab-03']//*[@role='status']/*/@data-note") == ["done"]
    assert find(page, "//*[@data-note]/ancestor::li/@id") == ["lab-03"]
    assert house.worker(3) != worker


def test_a_lab_in_use_is_reset_only_after_a_question(house, folder):
    tell(folder, active=3)
    worker = house.worker(3)
    place, page = reset(house, lab="03")
    assert place == "/console/?ask=03#lab-03"
    status = "//li[@id='lab-03']//*[@role='status']"
    assert find(page, f"{status}/form/@data-question") == ["3"]
    assert find(page, f"{status}//a[@data-cancel]/@href") == ["/console/#lab-03"]
    assert house.worker(3) == worker
    assert reset(house, lab="03", confirmed="1")[0] == "/console/?done=03&expired=1#lab-03"
    assert house.worker(3) != worker


def test_a_lab_that_does_not_say_may_be_in_use(house):
    place, page = reset(house, lab="04")
    assert place == "/console/?ask=04#lab-04"
    assert find(page, "//li[@id='lab-04']//@data-question") == ["unknown"]


def test_all_labs_are_reset_only_after_a_question(house, folder):
    tell(folder, active=0)
    workers = [house.worker(number) for number in (3, 4, 5)]
    place, page = reset(house, lab="all")
    assert place == "/console/?ask=all#all"
    assert find(page, "//*[@id='all']//*[@role='status']/form[@data-question]")
    assert workers == [house.worker(number) for number in (3, 4, 5)]
    place, page = reset(house, lab="all", confirmed="1")
    assert place == "/console/?done=all&expired=1#all"
    assert find(page, "//*[@id='all']//*[@role='status']/*/@data-note") == ["done"]
    assert not set(workers) & {house.worker(number) for number in (3, 4, 5)}


def test_a_reset_on_a_page_of_a_lab_leads_back(house, folder):
    tell(folder, active=1)
    place, page = reset(house, lab="03", page="code")
    assert place == "/console/lab/03/code/?ask=03#lab-03"
    assert find(page, "//*[@id='lab-03']//form//input[@name='page']/@value") == ["code"] * 3
    assert reset(house, lab="03", page="elsewhere")[0] == "/console/?ask=03#lab-03"


def test_a_lab_counts_its_active_visitors(house):
    def active():
        page = shown(house, 'data-state="running"', "/console/lab/05/")
        return sum(map(int, find(page, "//*[@id='state-05']//@data-active")))

    before = active()
    for browser in ("one", "two", "one"):
        house.ask("/", number=5, User_Agent=browser)
    until(lambda: active() == before + 2)


# Live


def test_the_last_exchanges_are_shown_newest_first(house, folder):
    later = {"at": "2026-11-21T10:18:00+00:00", "steps": [step("later")], "url": ""}
    tell(folder, TOLD, TOLD | later)
    page = shown(house, "later")
    address = f"http://127.0.0.1:{house.port + 3}/__lab__/exchange/abc/"
    assert links(page, f"//a[@href='{address}']") == {SENTENCE: address}
    assert page.index("later") < page.index(html.escape(SENTENCE))
    assert len(texts(page, "//tr[@data-exchange]/td/a[text()='A3']")) == 2
    assert shown(house, "later", "/console/live/?lab=03")
    assert "later" not in house.page("/console/live/?lab=04")


def test_a_redirect_is_shown_with_its_page_alone(house, folder):
    redirect = TOLD | {"number": 11, "steps": [step("first")]}
    page = TOLD | {"redirect": 11, "steps": [step("first"), step("second")]}
    tell(folder, page, redirect)
    assert rows(house, "?lab=03") == ["first → second"]
    tell(folder, redirect)
    assert rows(house, "?lab=03") == ["first"]


def test_what_stands_out_is_marked(house, folder):
    marked = [step(f"it was {kind}", kind) for kind in ("created", "deleted", "lost", "refused")]
    tell(folder, TOLD | {"steps": [*marked, step("loaded")]})
    page = shown(house, "loaded", "/console/live/?lab=03")
    found = {e.get("data-highlight"): e.text for e in find(page, "//td//*[@data-highlight]")}
    assert found == {kind: f"it was {kind}" for kind in ("created", "deleted", "lost", "refused")}


def test_live_is_filtered_by_lab_and_visitor(house, folder):
    other = TOLD | {"number": 13, "visitor": "C", "steps": [step("of C")]}
    tell(folder, TOLD, other)
    assert set(rows(house, "?lab=03")) == {SENTENCE, "of C"}
    assert rows(house, "?visitor=C") == rows(house, "?lab=03&visitor=C") == ["of C"]
    page = house.page("/console/live/?lab=03&visitor=C")
    assert find(page, "//form//option[@selected]/text()")[-1] == "C"
    filters = find(page, "//tr[@data-exchange]/td[position() < 4]/a/@href")
    assert filters == ["?lab=03", "?lab=03&visitor=C"]
    page = house.page("/console/live/?lab=05&visitor=nobody")
    assert find(page, "//*[@data-empty]")


def test_a_request_to_a_lab_is_shown(house):
    urllib.request.urlopen(f"http://127.0.0.1:{house.port + 5}/", timeout=20).close()
    assert shown(house, "data-exchange", "/console/live/?lab=05")


@pytest.mark.parametrize(
    "nonsense",
    ["", "[]", "null", '{"exchanges": 3}', '{"exchanges": [{"number": "x"}]}', "{" * 100_000],
)
def test_nonsense_is_nothing_to_show(house, folder, nonsense):
    (folder / "told.json").write_text(nonsense)
    assert find(house.page("/console/live/?lab=03"), "//*[@data-empty]")


def test_a_link_of_an_exchange_stays_in_its_lab(house, folder):
    for url in ("//elsewhere.example/__lab__/", "javascript:alert(1)", "@elsewhere.example/", None):
        tell(folder, TOLD | {"url": url})
        page = shown(house, html.escape(SENTENCE))
        assert "elsewhere" not in page
        assert "javascript" not in page


def test_an_exchange_opens_by_the_name_that_its_visitor_used(house, folder):
    port = house.port + 3
    for host, wanted in (
        (f"127.0.0.1:{port}", f"127.0.0.1:{port}"),
        (f"localhost:{port}", f"localhost:{port}"),
        (f"[::1]:{port}", f"[::1]:{port}"),
        ("localhost", f"127.0.0.1:{port}"),
        (f"localhost:{port + 1}", f"127.0.0.1:{port}"),
        (f"elsewhere.example:{port}", f"127.0.0.1:{port}"),
        (f"elsewhere.example/localhost:{port}", f"127.0.0.1:{port}"),
        (None, f"127.0.0.1:{port}"),
        (7, f"127.0.0.1:{port}"),
        ([], f"127.0.0.1:{port}"),
    ):
        tell(folder, TOLD | {"host": host})
        link = f'<a href="http://{wanted}/__lab__/exchange/abc/">'
        page = shown(house, link, "/console/live/?lab=03")
        assert "elsewhere" not in page


def clock(house):
    """Return how far lab 03's clock is ahead, according to the list of labs."""
    return find(house.page(), "//*[@id='state-03']//*[@data-clock]/@data-clock")


def test_a_clock_that_was_moved_is_shown_until_it_is_back(house, folder):
    tell(folder, TOLD, moved=1209600.0)
    for path in ("/console/live/", "/console/live/?lab=03"):
        assert shown(house, f'data-clock="{ahead(1209600)}"', path)
    assert not find(house.page("/console/live/?lab=04"), "//*[@data-clock]")
    until(lambda: clock(house) == [ahead(1209600)])
    assert shown(house, f'data-clock="{ahead(1209600)}"', "/console/lab/03/")
    for moved in (0, None, "soon", [], float("nan"), float("inf")):
        tell(folder, TOLD, moved=moved)
        assert clock(house) == []
        assert shown(house, html.escape(SENTENCE), "/console/live/?lab=03")
    tell(folder, TOLD)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, ""),
        (60, "1 minute ahead"),
        (119.9996, "2 minutes ahead"),
        (86400 + 300, "1 day, 5 minutes ahead"),
        (1209600 * 2, "4 weeks ahead"),
        (-61, "1 minute, 1 second behind"),
    ],
)
def test_the_words_for_a_moved_clock(seconds, words):
    assert ahead(seconds) == words


def test_the_picture_of_the_console_shows_its_labels(house, checkout):
    """If this fails, take the screenshot again with `python docs/screenshots.py`."""
    recorded = (checkout.root / "docs/images/console.txt").read_text("utf-8").splitlines()
    page = house.page()
    labels = texts(page, "//header//nav//a")
    labels += texts(page, "//li[@id='lab-04']//*[self::a or self::button][not(@data-active)]")
    assert labels == [label for label in recorded if not label.endswith(" active")]


def test_the_picture_of_a_diff_shows_its_labels(house, checkout):
    """If this fails, take the screenshot again with `python docs/screenshots.py`."""
    recorded = (checkout.root / "docs/images/diff.txt").read_text("utf-8").splitlines()
    page = house.page("/console/diff/03/04/")
    navigation = texts(page, "//header//nav//a | //nav[@aria-label='These two']//a")
    assert navigation == recorded


# In a real browser


@pytest.fixture
def page(chromium):
    """A page in Chromium. Warnings and errors in the browser's console count as complaints."""

    def note(message):
        if message.type in {"error", "warning"}:
            chromium.complaints.append(f"console: {message.text}")

    chromium.page.on("console", note)
    return chromium.page


def test_every_page_is_for_everybody(page, chromium, house, folder):
    kinds = sorted({*live_report.HIGHLIGHTS.values()})
    marked = [step(f"session {kind}", kind) for kind in kinds]
    tell(folder, TOLD | {"steps": [*marked, step("session loaded")]}, active=2, moved=120)
    found = {}
    for name, path in PAGES.items():
        page.goto(house.url(path))
        if troubles := complaints_at_both_ends(page):
            found[name] = troubles
    page.set_extra_http_headers({"Via": "1.1 someone-else"})  # as students see it
    for path in ("/", "/console/", "/practice/", "/practice/red-apple/"):
        page.goto(house.url(path))
        if troubles := complaints_at_both_ends(page):
            found[f"{path} for the class"] = troubles
    assert found == {}
    # Chromium's console reports a missing or refused page.
    chromium.complaints = [c for c in chromium.complaints if "status of 40" not in c]


def test_live_renews_itself_until_it_is_paused(page, house, folder):
    tell(folder, TOLD | {"visitor": "C", "steps": [step("of another visitor")]})
    page.goto(house.url("/console/live/?visitor=A3"))
    assert page.locator("[data-empty]").is_visible()
    tell(folder, TOLD, TOLD | {"visitor": "C", "steps": [step("of another visitor")]})
    page.get_by_role("link", name=SENTENCE).wait_for()
    page.locator("[data-pause]").click()
    tell(folder, TOLD | {"steps": [step("unseen")]})
    page.wait_for_timeout(2500)
    assert page.get_by_text("unseen").count() == 0
    page.locator("[data-pause]").click()
    page.get_by_role("link", name="unseen").wait_for()


def test_a_renewal_that_is_under_way_when_it_is_paused_changes_nothing(page, house, folder):
    tell(folder)
    page.goto(house.url("/console/live/?lab=03"))
    held = []

    def hold(route):
        held.append(route)

    page.route(lambda url: "/console/live/" in url, hold)
    until(lambda: page.wait_for_timeout(20) or held)
    page.locator("[data-pause]").click()
    tell(folder, TOLD)
    with page.expect_event("requestfinished"):
        held[0].continue_()
    page.wait_for_timeout(500)
    assert page.locator("[data-empty]").is_visible()


def test_one_browser_is_two_visitors(page, house, chromium):
    for number, count in ((0, 1), (1, 0)):
        page.goto(house.url())
        with page.expect_popup() as opened:
            page.locator("#lab-04 .visit a").nth(number).click()
        lab = opened.value
        if count:
            lab.goto(f"{lab.url}add/")
            lab.locator("[name=name]").fill("apple")
            lab.locator("form button").first.click()
        lab.goto(f"{lab.url.partition('/')[0]}//{lab.url.split('/')[2]}/display/")
        assert lab.get_by_role("rowheader", name="apple").count() == count
        lab.close()
    assert "csrftoken_console" in chromium.cookies()


def test_all_labs_in_use_are_on_one_screen(page, checkout, tmp_path):
    page.set_viewport_size({"width": 1366, "height": 650})  # 768, less the browser's bars
    with serving(copy_of(checkout, tmp_path)) as served:
        for lab in checkout.labs:
            served.ask("/", number=int(lab.number))
        page.goto(served.url())
        page.locator("[data-active]").nth(len(checkout.labs) - 1).wait_for()
        numbers = page.locator(".lab-row h3 .badge").all_inner_texts()
        assert numbers == [lab.number for lab in checkout.labs]
        root = "document.documentElement"
        assert page.evaluate(f"[{root}.scrollHeight, {root}.scrollWidth]") == [650, 1366]
        page.goto("about:blank")  # leave the page, because it keeps updating the list of labs


def test_a_question_and_its_result_appear_in_the_row(page, house, folder):
    tell(folder, active=2)
    page.goto(house.url())
    row = page.locator("#lab-03")
    row.get_by_role("button").press("Enter")
    row.locator("[data-question='2']").wait_for()
    page.keyboard.press("Tab")  # the button has kept the focus, so Tab moves on from it
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Cancel
    assert row.get_by_role("status").inner_text() == ""
    page.keyboard.press("Enter")  # the focus has returned to the button Reset
    row.locator("[data-question]").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    row.locator("[role=status] [data-note]").wait_for(timeout=60_000)
    page.wait_for_url("**/console/?done=03&expired=1#lab-03")
    page.keyboard.press("Tab")  # Tab continues at this row, because the URL ends in its ID
    page.locator("#lab-03 :focus").wait_for()


def test_a_diff_is_walked_through_by_keyboard(page, house):
    page.goto(house.url("/console/diff/02/06/"))
    for place in ("#main", "#changes"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == place
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.rel") == "next"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "change-2"


def test_on_paper_a_diff_is_its_changes_and_notes(page, house):
    page.goto(house.url("/console/diff/10:db/10:file/"))
    page.emulate_media(media="print", color_scheme="dark")
    for part in (".note", ".changed .line", "h1", "h2", "h3"):
        assert all(place.is_visible() for place in page.locator(part).all()), part
    for gone in ("nav", "form", ".skip"):
        assert not any(place.is_visible() for place in page.locator(gone).all()), gone


def test_a_handout_prints_as_a_sheet_with_answers_or_without(page, house):
    page.emulate_media(media="print", color_scheme="dark")
    for query, shown in (("", False), ("?answers=shown", True)):
        page.goto(house.url(f"/console/lab/05/{query}"))
        for gone in ("header", ".lab-head", ".for-answers"):
            assert not page.locator(gone).is_visible()
        assert page.locator("summary").first.is_visible()
        assert page.locator("details p").first.is_visible() is shown
        ink = "getComputedStyle(document.body).color"
        paper = "getComputedStyle(document.body).backgroundColor"
        assert (page.evaluate(ink), page.evaluate(paper)) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")


def test_the_log_page_shows_only_the_end(house, folder):
    log = folder / ".lab" / "05" / "server.log"
    with log.open("ab") as file:
        file.write(b"".join(b"line %06d %s\n" % (number, b"x" * 900) for number in range(9000)))
    page = house.page("/console/lab/05/log/")
    assert "line 008999" in page
    assert len(page) < LOG_BYTES + 20_000
