"""The jar follows the rules of RFC 6265bis."""

import pytest

from labkit.http.cookie_date import parse_date
from labkit.http.jar import Jar
from labkit.http.origin import Context, Origin, default_path
from labkit.http.set_cookie import CookieRefusal, SameSite

HERE = Origin.of("http://127.0.0.1/")
SHOP = Origin.of("https://www.shop.example/")


@pytest.fixture
def jar():
    return Jar()


def stored(jar, line, source=HERE, context=Context()):  # noqa: B008 it is frozen
    return jar.store(line, source, context)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("a=b", "a", "b"),
        (" a = b ", "a", "b"),
        ("a=b=c", "a", "b=c"),
        ('a="b c"', "a", '"b c"'),
        ("a=", "a", ""),
        ("a", "", "a"),
        ("=a", "", "a"),
        ("a=b;", "a", "b"),
        ("a=b; nonsense; more=less", "a", "b"),
        ("अ=ब", "अ", "ब"),
    ],
)
def test_name_and_value_are_what_stands_around_the_first_equals_sign(jar, line, name, value):
    cookie = stored(jar, line)
    assert (cookie.name, cookie.value) == (name, value)


@pytest.mark.parametrize(
    "line", ["a=\ud800", "\udfff=b", "a=b; Path=/\ud800", "a=b; Domain=\udc00.example"]
)
def test_a_lone_surrogate_is_refused(jar, line):
    with pytest.raises(CookieRefusal, match="surrogate"):
        stored(jar, line)


@pytest.mark.parametrize("line", ["", "=", " ; Path=/", "a=b\x00", "a\x7f=b", "a=b; Path=/\n"])
def test_what_is_no_cookie_is_refused(jar, line):
    with pytest.raises(CookieRefusal):
        stored(jar, line)


@pytest.mark.claim("C23")
def test_name_and_value_may_have_4096_bytes_together(jar):
    assert stored(jar, "abc=" + "x" * 4093)
    assert stored(jar, "abc=" + "x" * 4093 + "; Path=/; Max-Age=60")
    with pytest.raises(CookieRefusal, match="4096"):
        stored(jar, "abc=" + "x" * 4094)
    with pytest.raises(CookieRefusal, match="4096"):
        stored(jar, "abc=" + "é" * 2047)


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        ("Max-Age=60", 60),
        ("max-age=60", 60),
        ("Max-Age=30; Max-Age=60", 60),
        ("Max-Age=60; Expires=Mon, 07 Jan 2030 10:00:00 GMT", 60),
        ("Expires=Mon, 07 Jan 2030 10:00:00 GMT; Max-Age=60", 60),
        ("Expires=Mon, 07 Jan 2030 10:00:00 GMT", 3600),
        ("Max-Age=" + "9" * 30, 400 * 86400),
        ("Expires=Fri, 31 Dec 9999 23:59:59 GMT", 400 * 86400),
        ("Max-Age=1.5", None),
        ("Max-Age=soon", None),
        ("Max-Age=", None),
        ("Max-Age=+60", 60),
        ("Expires=tomorrow", None),
        ("", None),
    ],
)
def test_how_long_a_cookie_lives(jar, clock, attributes, seconds):
    cookie = stored(jar, f"a=b; {attributes}")
    assert cookie.expires == (seconds and clock.now.timestamp() + seconds)


@pytest.mark.parametrize(
    "attributes", ["Max-Age=0", "Max-Age=-1", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
)
def test_an_end_in_the_past_deletes_the_cookie(jar, attributes):
    stored(jar, "a=b")
    assert stored(jar, f"a=c; {attributes}") is None
    assert len(jar) == 0


def test_a_deletion_with_another_path_deletes_nothing(jar):
    stored(jar, "a=b; Path=/")
    stored(jar, "a=b; Path=/x; Max-Age=0")
    assert len(jar) == 1


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37+00:00"),
        ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37+00:00"),
        ("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37+00:00"),
        ("6 nov 2030 8:9:7", "2030-11-06T08:09:07+00:00"),
        ("06 Nov 69 00:00:00", "2069-11-06T00:00:00+00:00"),
        ("31 Feb 2030 00:00:00", None),
        ("06 Nov 1600 00:00:00", "1600-11-06T00:00:00+00:00"),
        ("30 Feb 1600 00:00:00", None),
        ("33 Aug 31841 00:00:00", None),
        ("29 Feb 31900 00:00:00", None),
        ("30 Aug 100000 00:00:00", None),
        ("6 Nov 2030 0008:009:0007", "2030-11-06T08:09:07+00:00"),
        ("06 Nov 2030 25:00:00", None),
        ("06 Nov 2030", None),
        ("", None),
    ],
)
def test_the_dates_that_servers_write(text, iso):
    moment = parse_date(text)
    assert (None if moment is None else datetime_of(moment)) == iso


def test_dates_after_9999_are_in_order():
    dates = ["31 Dec 9999 23:59:59", "1 Jan 10000 0:0:0", "29 Feb 32000 0:0:0", "1 Mar 32000 0:0:0"]
    before, begin, leap, after = map(parse_date, dates)
    assert (begin - before, after - leap) == (1, 86400)
    # 7 June 9341 and 62 cycles of the calendar, which are 24,800 years
    assert parse_date("7 Jun 34141 0:0:0") - parse_date("7 Jun 9341 0:0:0") == 62 * 146_097 * 86_400


def datetime_of(moment):
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC).isoformat()


@pytest.mark.parametrize(
    ("asked", "path"), [("/a/b", "/a"), ("/a/", "/a"), ("/a", "/"), ("/", "/"), ("", "/")]
)
def test_a_cookie_without_path_belongs_to_the_folder_of_its_page(asked, path):
    assert default_path(asked) == path


@pytest.mark.parametrize(
    ("path", "asked", "sent"),
    [
        ("/a", "/a", True),
        ("/a", "/a/b", True),
        ("/a/", "/a/b", True),
        ("/a", "/ab", False),
        ("/a/", "/a", False),
        ("/", "/anything", True),
        # The Path is not absolute, so the folder of the page's URL is used, which is / here.
        ("a", "/x", True),
        ("", "/x", True),
        ("/A", "/a", False),
    ],
)
def test_a_cookie_is_sent_below_its_path(jar, path, asked, sent):
    stored(jar, f"a=b; Path={path}")
    assert bool(jar.header(Origin("http", "127.0.0.1", asked))) is sent


@pytest.mark.parametrize(
    ("domain", "host", "sent"),
    [
        ("", "www.shop.example", True),
        ("", "shop.example", False),
        ("", "a.www.shop.example", False),
        ("shop.example", "shop.example", True),
        (".shop.example", "a.b.shop.example", True),
        ("SHOP.example", "www.shop.example", True),
        ("shop.example", "bookshop.example", False),
        ("shop.example; Domain=", "shop.example", False),
    ],
)
def test_a_cookie_is_sent_to_its_domain(jar, domain, host, sent):
    stored(jar, "a=b" + (f"; Domain={domain}" if domain else ""), SHOP)
    assert bool(jar.header(Origin("https", host))) is sent


@pytest.mark.parametrize(
    ("domain", "source"),
    [
        ("other.example", SHOP),
        ("a.www.shop.example", SHOP),
        ("example", SHOP),
        ("co.uk", Origin.of("https://shop.co.uk/")),
        ("localhost", Origin.of("http://lab03.localhost/")),
        ("1", HERE),
        ("é.example", SHOP),
    ],
)
def test_a_domain_that_is_not_ones_own_is_refused(jar, domain, source):
    with pytest.raises(CookieRefusal):
        stored(jar, f"a=b; Domain={domain}", source)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_host_may_name_itself(jar, host):
    cookie = stored(jar, f"a=b; Domain={host}", Origin("http", host))
    assert cookie.host_only


@pytest.mark.parametrize(
    ("url", "trustworthy"),
    [
        ("https://shop.example/", True),
        ("http://shop.example/", False),
        ("http://127.0.0.1/", True),
        ("http://127.0.0.3/", True),
        ("http://[::1]/", True),
        ("http://localhost/", True),
        ("http://lab03.localhost/", True),
        ("http://10.0.0.1/", False),
    ],
)
def test_where_secure_cookies_work(jar, url, trustworthy):
    origin = Origin.of(url)
    if trustworthy:
        stored(jar, "a=b; Secure", origin)
        assert jar.header(origin) == "a=b"
    else:
        with pytest.raises(CookieRefusal, match="Secure"):
            stored(jar, "a=b; Secure", origin)


def test_a_secure_cookie_is_not_sent_over_plain_http(jar):
    stored(jar, "a=b; Secure", SHOP)
    target = Origin.of("http://www.shop.example/")
    assert jar.header(target) == ""
    assert ["Secure" in held.reason for held in jar.held_back(target)] == [True]


def test_plain_http_cannot_hide_a_secure_cookie(jar):
    stored(jar, "a=b; Secure", SHOP)
    with pytest.raises(CookieRefusal, match="hide"):
        stored(jar, "a=c", Origin.of("http://www.shop.example/"))
    assert stored(jar, "b=c", Origin.of("http://www.shop.example/"))


def test_a_script_neither_reads_nor_writes_http_only_cookies(jar):
    script = Context(http_api=False)
    stored(jar, "a=b; HttpOnly")
    assert jar.header(HERE, script) == ""
    with pytest.raises(CookieRefusal, match="script"):
        stored(jar, "c=d; HttpOnly", context=script)
    with pytest.raises(CookieRefusal, match="script"):
        stored(jar, "a=c", context=script)
    assert stored(jar, "e=f", context=script)


@pytest.mark.parametrize(
    ("attributes", "link", "form", "image"),
    [
        ("SameSite=Strict", False, False, False),
        ("SameSite=Lax", True, False, False),
        ("SameSite=None; Secure", True, True, True),
        ("", True, True, False),  # for the first two minutes, treated as "Lax + POST"
        ("SameSite=nonsense", True, True, False),
        ("SameSite=Lax; SameSite=Strict", False, False, False),
    ],
)
def test_what_another_site_makes_the_browser_send(jar, attributes, link, form, image):
    stored(jar, f"a=b; {attributes}", SHOP)
    evil = Origin.of("https://evil.example/")
    assert bool(jar.header(SHOP, Context("GET", evil))) is link
    assert bool(jar.header(SHOP, Context("POST", evil))) is form
    assert bool(jar.header(SHOP, Context("GET", evil, top_level=False))) is image
    for method, top_level in (("POST", True), ("GET", False)):
        own = Origin.of("https://other.shop.example/")
        assert jar.header(SHOP, Context(method, own, top_level)) == "a=b"


def test_after_two_minutes_no_same_site_means_lax(jar, clock):
    stored(jar, "a=b", SHOP)
    evil = Context("POST", Origin.of("https://evil.example/"))
    clock.forward(seconds=120)
    assert jar.header(SHOP, evil) == "a=b"
    clock.forward(seconds=1)
    assert jar.header(SHOP, evil) == ""


def test_another_sites_frame_cannot_set_what_it_would_not_send(jar):
    frame = Context("GET", Origin.of("https://evil.example/"), top_level=False)
    with pytest.raises(CookieRefusal, match="SameSite=Lax"):
        stored(jar, "a=b; SameSite=Lax", SHOP, frame)
    assert stored(jar, "a=b; SameSite=None; Secure", SHOP, frame)


def test_same_site_none_needs_secure(jar):
    with pytest.raises(CookieRefusal, match=r"SameSite=None .*Secure"):
        stored(jar, "a=b; SameSite=None", SHOP)
    assert stored(jar, "a=b; SameSite=none; Secure", SHOP).same_site is SameSite.NONE


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("__Secure-a=b; Secure", True),
        ("__Secure-a=b", False),
        ("__secure-a=b", False),
        ("__Host-a=b; Secure; Path=/", True),
        ("__Host-a=b; Secure", False),
        ("__Host-a=b; Path=/", False),
        ("__Host-a=b; Secure; Path=/x", False),
        ("__Host-a=b; Secure; Path=/; Domain=shop.example", False),
        ("=__Host-a; Secure; Path=/", False),
        ("__Secure-a", False),
    ],
)
def test_a_prefix_is_a_promise(jar, line, kept):
    if kept:
        assert stored(jar, line, SHOP)
    else:
        with pytest.raises(CookieRefusal):
            stored(jar, line, SHOP)


def test_longer_paths_go_first_then_older_cookies(jar):
    for line in ("a=1; Path=/", "b=2; Path=/x", "c=3; Path=/", "d=4; Path=/x/y"):
        stored(jar, line)
    assert jar.header(Origin("http", "127.0.0.1", "/x/y")) == "d=4; b=2; a=1; c=3"


def test_same_name_and_other_path_are_two_cookies(jar):
    stored(jar, "a=1; Path=/")
    stored(jar, "a=2; Path=/x")
    assert jar.header(Origin("http", "127.0.0.1", "/x")) == "a=2; a=1"


def test_ports_share_a_jar(jar):
    stored(jar, "a=1; Path=/", Origin.of("http://127.0.0.1:8003/"))
    assert jar.header(Origin.of("http://127.0.0.1:8004/")) == "a=1"


@pytest.mark.claim("C28")
def test_past_180_cookies_of_a_site_the_oldest_go_until_150_are_left(jar):
    stored(jar, "other=1; Path=/", SHOP)
    for number in range(180):
        stored(jar, f"c{number}=1; Path=/")
    assert len(jar) == 181
    stored(jar, "c180=1; Path=/")
    names = [cookie.name for cookie in jar]
    assert names == ["other", *(f"c{number}" for number in range(31, 181))]


def test_used_cookies_and_secure_ones_go_last(jar, clock):
    stored(jar, "secure=1; Path=/; Secure")
    stored(jar, "used=1; Path=/a")
    for number in range(178):
        stored(jar, f"c{number}=1; Path=/b")
    # This is long enough, because Chromium updates a last-access time at most once a minute.
    clock.forward(minutes=2)
    jar.header(Origin("http", "127.0.0.1", "/a"))
    stored(jar, "last=1; Path=/b")
    assert {"secure", "used", "last"} <= {cookie.name for cookie in jar}
    assert len(jar) == 150


def test_partitioned_cookies_belong_to_the_site_in_the_address_bar(jar):
    shown = Context("GET", Origin.of("https://evil.example/"), top_level=False)
    line = "a={}; Secure; SameSite=None; Partitioned"
    stored(jar, line.format("own"), SHOP)
    stored(jar, line.format("shown"), SHOP, shown)
    assert (jar.header(SHOP), jar.header(SHOP, shown)) == ("a=own", "a=shown")
    other = Context("GET", Origin.of("https://news.example/"), top_level=False)
    assert jar.header(SHOP, other) == ""
    assert ["Partitioned" in held.reason for held in jar.held_back(SHOP, other)] == [True, True]
    with pytest.raises(CookieRefusal, match="Partitioned"):
        stored(jar, "a=b; Partitioned", SHOP)


def test_partitioned_cookies_have_limits_of_their_partition(jar):
    for number in range(11):
        stored(jar, f"c{number:02}={'x' * 1021}; Secure; Partitioned", SHOP)
    assert [cookie.name for cookie in jar] == [f"c{number:02}" for number in range(1, 11)]
    jar.clear()
    for number in range(181):
        stored(jar, f"c{number}=; Secure; Partitioned", SHOP)
    assert [cookie.name for cookie in jar] == [f"c{number}" for number in range(1, 181)]


def test_closing_the_browser(jar):
    stored(jar, "a=1")
    stored(jar, "b=1; Max-Age=60")
    jar.close_browser()
    assert [cookie.name for cookie in jar] == ["b"]


@pytest.mark.parametrize(
    "url", ["/path", "shop.example:80", "http://", "http://a b/", "http://[::1/", "data:,x"]
)
def test_a_url_needs_scheme_and_host(url):
    with pytest.raises(ValueError, match="absolute"):
        Origin.of(url)


@pytest.mark.parametrize(
    ("url", "scheme", "host", "path"),
    [
        ("HTTP://Shop.Example:8000", "http", "shop.example", "/"),
        ("https://bücher.example/a?b#c", "https", "xn--bcher-kva.example", "/a"),
        ("http://127.1/a/../b", "http", "127.0.0.1", "/b"),
        ("http://[0:0::1]/a/%2e%2E/b c", "http", "::1", "/b%20c"),
        ("http://user:password@localhost./", "http", "localhost.", "/"),
    ],
)
def test_a_url_is_read_as_browsers_read_it(url, scheme, host, path):
    assert Origin.of(url) == Origin(scheme, host, path)
