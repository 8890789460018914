"""`visitor.cookies` is the jar, with all methods of a SimpleCookie."""

from http.cookies import CookieError, Morsel, SimpleCookie

import pytest

from labkit.http.set_cookie import CookieRefusal
from labkit.testing import Visitor
from labkit.testing.jar_cookies import JarCookies


@pytest.fixture
def filled(visitor):
    """A visitor with two cookies: a for the whole site, and b for a part of it."""
    for line in ("a=1; Path=/; HttpOnly; SameSite=Lax; Max-Age=60", "b=2; Path=/a"):
        visitor.get("/set-cookie/", {"line": line})
    return visitor


def names(visitor):
    return [cookie.name for cookie in visitor.jar]


def test_it_has_every_cookie_with_its_attributes(filled, clock):
    filled.get("/set-cookie/", {"line": "a=1; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"})
    assert isinstance(filled.cookies, SimpleCookie)
    assert sorted(filled.cookies) == ["a", "b"]
    cookie = filled.cookies["a"]
    assert (cookie.key, cookie.value, cookie["path"], cookie["samesite"]) == ("a", "1", "/", "Lax")
    assert (cookie["httponly"], cookie["secure"], cookie["max-age"]) == (True, "", 60)
    assert filled.cookies["b"]["path"] == "/a"
    assert "HttpOnly" in filled.cookies.output()


def test_it_stays_current(visitor):
    cookies = visitor.cookies
    visitor.get("/set-cookie/", {"line": "a=1; Path=/"})
    assert cookies["a"].value == "1"
    assert len(cookies) == 1


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda cookies: cookies.__delitem__("a"), ["b"]),
        (lambda cookies: cookies.pop("a"), ["b"]),
        (lambda cookies: cookies.clear(), []),
        (lambda cookies: cookies.load("c=3"), ["a", "b", "c"]),
        (lambda cookies: cookies.load({"c": "3"}), ["a", "b", "c"]),
        (lambda cookies: cookies.update(c="3"), ["a", "b", "c"]),
        (lambda cookies: cookies.setdefault("c", "3"), ["a", "b", "c"]),
        (lambda cookies: cookies.__ior__({"c": "3"}), ["a", "b", "c"]),
        (lambda cookies: cookies["a"].update({"max-age": 0}), ["b"]),
        (lambda cookies: cookies["a"].update({"expires": "Thu, 01 Jan 1970 00:00:00 GMT"}), ["b"]),
        (lambda cookies: cookies["a"].set("c", "3", "3"), ["b", "c"]),
    ],
)
def test_a_change_is_one_of_the_jar(filled, change, left):
    change(filled.cookies)
    assert sorted(names(filled)) == left
    sent = filled.get("/echo/").content.decode()
    assert sent == "; ".join({"a": "a=1", "c": "c=3"}[name] for name in left if name != "b")


def test_an_attribute_can_be_changed(filled):
    filled.cookies["a"]["path"] = "/a"
    assert [cookie.path for cookie in filled.jar if cookie.name == "a"] == ["/a"]
    assert filled.jar.get("a").http_only
    for removal in ("pop", "clear", "popitem"):
        with pytest.raises(TypeError):
            getattr(filled.cookies["a"], removal)()


@pytest.mark.parametrize("embedded", [False, True])
def test_a_change_keeps_priority_and_partition(visitor, embedded):
    with visitor.coming_from("https://news.example/", embedded=embedded):
        line = "c=3; Path=/; Secure; SameSite=None; Priority=High; Partitioned"
        visitor.get("/set-cookie/", {"line": line})
    (before,) = visitor.jar
    visitor.cookies["c"]["max-age"] = 60
    (after,) = visitor.jar
    assert after.expires is not None
    assert (after.priority, after.partition) == (before.priority, before.partition)
    assert after.partition == (("https", "news.example") if embedded else ("http", "127.0.0.1"))


def test_a_new_value_keeps_the_attributes(filled):
    filled.cookies["a"] = "x y"
    assert filled.jar.get("a").http_only
    assert filled.cookies["a"].value == "x y"
    assert filled.get("/echo/").content == b'a="x y"'


def test_a_morsel_brings_its_attributes(visitor):
    cookies = SimpleCookie("a=1")
    cookies["a"]["path"] = "/a"
    visitor.cookies.update(cookies)
    assert visitor.jar.get("a").path == "/a"
    with pytest.raises(CookieError):
        visitor.cookies["b"] = cookies["a"]


def test_it_can_be_replaced_as_a_whole(filled, classmate):
    classmate.cookies = filled.cookies
    assert sorted(names(classmate)) == sorted(names(filled)) == ["a", "b"]
    filled.cookies |= {"c": "3"}
    assert sorted(names(filled)) == ["a", "b", "c"]
    filled.cookies = {"a": "4"}
    assert filled.get("/echo/").content == b"a=4"
    filled.cookies = SimpleCookie()
    assert names(filled) == []


def test_a_copy_is_apart(filled):
    copied = filled.cookies.copy()
    copied["a"]["path"] = "/b"
    del copied["b"]
    assert sorted(names(filled)) == ["a", "b"]
    assert filled.jar.get("a").path == "/"
    assert sorted(filled.cookies | {"c": "3"}) == sorted({"c": "3"} | filled.cookies)


@pytest.mark.parametrize("name", ["a[b]", "path", "é", "a b"])
def test_names_that_python_refuses_do_no_harm(visitor, name):
    visitor.jar.store(f"{name}=1; Path=/", visitor.origin)
    assert visitor.cookies[name].value == "1"
    visitor.cookies[name] = "2"
    assert visitor.jar.get(name).value == "2"
    assert dict(visitor.session) == {}


@pytest.mark.parametrize("name", ["", "a=b", "a;b", " a", "a\n"])
def test_a_name_that_no_cookie_can_have_is_refused(visitor, name):
    with pytest.raises(CookieError):
        visitor.cookies[name] = "1"
    assert names(visitor) == []


def test_text_without_a_cookie_is_refused(visitor):
    with pytest.raises(CookieError):
        visitor.cookies.load("a[b]=1")


def test_what_a_browser_would_refuse_is_refused():
    visitor = Visitor("shop.example")
    morsel = Morsel()
    morsel.set("a", "1", "1")
    for attribute, value in [("secure", True), ("domain", "other.example"), ("samesite", "None")]:
        refused = morsel.copy()
        refused[attribute] = value
        with pytest.raises(CookieRefusal):
            visitor.cookies["a"] = refused
    visitor.cookies["a"] = morsel
    with pytest.raises(CookieRefusal):
        visitor.cookies["a"]["secure"] = True
    assert visitor.jar.get("a").value == "1"
    visitor.block_cookies()
    with pytest.raises(CookieRefusal):
        visitor.cookies["b"] = "1"


def test_of_one_name_it_has_the_cookie_that_django_reads(visitor):
    for line in ("a=1; Path=/a", "a=2; Path=/", "a=3; Path=/; Domain=127.0.0.1", "b=1; Path=/a"):
        visitor.jar.store(line, visitor.origin)
    visitor.jar.store("b=2; Path=/b", visitor.origin)
    assert (visitor.cookies["a"].value, visitor.cookies["b"].value) == ("3", "2")
    del visitor.cookies["a"]
    assert "a" not in names(visitor)


def test_no_method_of_a_dictionary_passes_the_jar_by():
    harmless = {"fromkeys", "__init_subclass__", "__class_getitem__", "__new__", "__sizeof__"}
    ours = {
        name
        for cls in JarCookies.__mro__[: JarCookies.__mro__.index(SimpleCookie)]
        for name in vars(cls)
    }
    inherited = {name for name in vars(dict) if name not in vars(object)}
    assert inherited - ours - harmless - set(vars(SimpleCookie)) <= set(), inherited - ours


def test_a_session_that_is_saved_keeps_its_cookie(visitor):
    session = visitor.session
    session["cart"] = "7"
    session.save()  # with signed cookies, the session key is the data
    assert "('cart', '7')" in visitor.get("/session/").content.decode()
