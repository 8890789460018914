import random
from importlib import import_module

import pytest
from django.conf import settings as lab_settings
from django.contrib import auth
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import path

from lab import storage, urls
from lab.models import DEMO
from labkit.base import csrf_causes
from labkit.base.demo_password_hasher import DemoPasswordHasher
from labkit.testing import Visitor
from labkit.testing.contracts import HOSTILE_NAMES, OddEntriesContract, notices, table
from labkit.testing.malformed_requests import unknown_session_ids
from labkit.testing.response_checks import COOKIE_REFUSED
from tests.contract import LoginPages, facts, form_errors, page_of


@pytest.fixture(params=["db", "cached_db", "cache", "file", "signed_cookies"])
def engine(request, use_engine):
    """Use each session engine in turn."""
    use_engine(request.param)
    return request.param


class TestLogin(LoginPages):
    session_cookie = "sessionid_11"
    raw_requests = unknown_session_ids(session_cookie)


class TestOddEntries(OddEntriesContract):
    session_cookie = "sessionid_11"
    entries = ("cart",)
    django_entries = ("_auth_user_id", "_auth_user_backend", "_auth_user_hash")
    pages = ("/", "/login/")
    forms = (
        ("/add/", {"name": "apple", "quantity": 1}),
        ("/login/", DEMO),
        ("/logout/", {}),
    )

    def give(self, visitor, entry, value):
        """Store this entry with the entries of a login, so that Django reads it."""
        user = User.objects.get()
        login = {
            "_auth_user_id": str(user.pk),
            "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
            "_auth_user_hash": user.get_session_auth_hash(),
        }
        self.give_entries(visitor, login | {entry: value})


pages = TestLogin()


def copy_cookie(giver, taker):
    """Copy the session cookie of one browser into another, as an attacker would."""
    taker.jar.store(f"{giver.jar.get('sessionid_11').pair}; Path=/", taker.origin)


def decoded(visitor):
    """Return the decoded row with this visitor's key."""
    return Session.objects.get(session_key=pages.key(visitor)).get_decoded()


# "A session lasts from login to logout"


@pytest.mark.in_process
@pytest.mark.claim("C09")
def test_a_session_begins_before_any_login(visitor):
    visitor.get("/")
    assert Session.objects.count() == 0
    pages.add(visitor, "apple", 3)
    assert decoded(visitor) == {"cart": {"apple": 3}}
    assert pages.key(visitor) is not None


@pytest.mark.in_process
@pytest.mark.claim("C09")
def test_a_login_moves_the_session_to_a_row_with_another_key(visitor):
    pages.add(visitor, "apple", 3)
    before = pages.key(visitor)
    pages.log_in(visitor)
    assert [row.session_key for row in Session.objects.all()] == [pages.key(visitor)]
    assert pages.key(visitor) != before
    assert decoded(visitor) == {
        "cart": {"apple": 3},
        "_auth_user_id": str(User.objects.get().pk),
        "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
        "_auth_user_hash": User.objects.get().get_session_auth_hash(),
    }


def test_a_session_may_end_before_any_logout(visitor, clock):
    pages.log_in(visitor)
    clock.forward(days=14)
    assert not pages.logged_in(visitor.get("/"))


def test_a_login_outlives_the_browser(visitor):
    pages.log_in(visitor)
    visitor.close_browser()
    assert pages.logged_in(visitor.get("/"))


@pytest.mark.in_process
@pytest.mark.claim("C09", "C59")
def test_a_logout_deletes_the_row_and_the_cookie(visitor):
    pages.add(visitor, "apple", 3)
    pages.log_in(visitor)
    form = pages.with_token(visitor)
    response = visitor.post("/logout/", form)
    cookie = response.cookies["sessionid_11"]
    assert (cookie.value, cookie["max-age"]) == ("", 0)
    assert pages.key(visitor) is None
    assert Session.objects.count() == 0
    assert table(visitor.get("/")) == {}


@pytest.mark.in_process
@pytest.mark.claim("C59")
def test_a_logout_is_what_flush_does(visitor):
    pages.log_in(visitor)
    session = import_module(lab_settings.SESSION_ENGINE).SessionStore(pages.key(visitor))
    session.flush()
    assert (session.session_key, dict(session.items())) == (None, {})
    assert Session.objects.count() == 0
    # The browser deletes its cookie at its next request.
    assert not pages.logged_in(visitor.get("/"))
    assert pages.key(visitor) is None


@pytest.mark.claim("C59")
def test_a_link_cannot_log_out(visitor):
    pages.log_in(visitor)
    assert visitor.get("/logout/").status_code == 405
    assert pages.logged_in(visitor.get("/"))


def test_logging_out_twice_is_no_error(visitor):
    pages.log_in(visitor)
    page = visitor.get("/")
    for _ in range(2):
        assert not pages.logged_in(visitor.submit("/logout/", page=page))


def test_logging_in_twice_keeps_the_key(visitor):
    # Django's login() changes the key only if nobody or another user is logged in.
    pages.log_in(visitor)
    key = pages.key(visitor)
    assert pages.logged_in(pages.log_in(visitor))
    assert pages.key(visitor) == key


@pytest.mark.in_process
def test_whoever_logs_in_over_someone_else_does_not_get_their_cart(visitor):
    User.objects.create_user("bob", password="noyce")  # noqa: S106
    pages.add(visitor, "apple", 3)
    pages.log_in(visitor)
    response = pages.log_in(visitor, "bob", "noyce")
    assert facts(response)["user"] == "bob"
    assert table(response) == {}


def test_a_form_opened_before_the_login_is_refused_after_it(visitor):
    page = visitor.get("/")
    pages.log_in(visitor)
    response = visitor.submit("/add/", {"name": "apple", "quantity": 1}, page=page)
    assert response.status_code == 403
    assert page_of(response).xpath("//@data-cause") == [csrf_causes.OLD_TOKEN.name]
    assert table(pages.add(visitor, "apple")) == {"apple": 1}


# A key that an attacker knows


def careless_login(request, user):
    """Log in as some sites do: store the user, but keep the session key."""
    request.session[auth.SESSION_KEY] = str(user.pk)
    request.session[auth.BACKEND_SESSION_KEY] = user.backend
    request.session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()


def careful_login(request, user):
    """Log in as Django logs in an anonymous visitor: change the key, then store the user."""
    request.session.cycle_key()  # the old key matches no session any more
    request.session[auth.SESSION_KEY] = str(user.pk)
    request.session[auth.BACKEND_SESSION_KEY] = user.backend
    request.session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()


@pytest.mark.parametrize("login", [auth.login, careful_login, careless_login])
def test_a_key_planted_beforehand_gets_in_only_where_the_login_keeps_it(
    visitor, classmate, monkeypatch, login
):
    careless = login is careless_login
    monkeypatch.setattr("django.contrib.auth.views.auth_login", login)
    pages.add(classmate, "bait")
    copy_cookie(classmate, visitor)
    assert pages.logged_in(pages.log_in(visitor))
    response = classmate.get("/")
    assert pages.logged_in(response) == careless
    assert table(response) == ({"bait": 1} if careless else {})


def test_a_planted_key_that_no_server_made_is_never_taken_over(visitor, classmate):
    for browser in (visitor, classmate):
        browser.jar.store(f"sessionid_11={'a' * 32}; Path=/", browser.origin)
    assert pages.logged_in(pages.log_in(visitor))
    assert not pages.logged_in(classmate.get("/"))


def test_what_was_put_into_a_planted_session_comes_along(visitor, classmate):
    # The new key locks the attacker out, but the attacker's items stay in the session.
    pages.add(classmate, "bait")
    copy_cookie(classmate, visitor)
    assert table(pages.log_in(visitor)) == {"bait": 1}


def test_a_cookie_copied_before_the_logout(visitor, classmate, engine):
    pages.add(visitor, "apple", 3)
    pages.log_in(visitor)
    copy_cookie(visitor, classmate)
    assert pages.logged_in(classmate.get("/"))
    assert not pages.logged_in(pages.log_out(visitor))
    assert pages.key(visitor) is None
    response = classmate.get("/")
    # The server stores nothing, so it cannot delete anything.
    still = engine == "signed_cookies"
    assert pages.logged_in(response) == still
    assert table(response) == ({"apple": 3} if still else {})


def test_a_new_password_ends_every_session_there_is(visitor, classmate, engine):
    pages.log_in(visitor)
    pages.log_in(classmate)
    user = User.objects.get()
    user.set_password("something else")
    user.save()
    for browser in (visitor, classmate):
        assert not pages.logged_in(browser.get("/"))


# The pages


def test_the_page_says_whether_there_is_a_row(visitor, clock, engine):
    rows = engine in {"db", "cached_db"}
    answers = [visitor.get("/"), pages.add(visitor, "apple"), pages.log_in(visitor)]
    said = [page_of(answer).xpath("string(//dd[@data-fact='row'])") for answer in answers]
    assert ["2030-01-21 09:00:00 UTC" in row for row in said] == [False, rows, rows]
    # The engine signed_cookies stores no rows on the server.
    assert [engine in row for row in said] == 3 * [not rows]
    assert Session.objects.count() == rows


def test_the_form_names_the_one_user_and_the_password(visitor):
    page = page_of(visitor.get("/login/"))
    shown = {b.get("data-demo"): b.text_content() for b in page.xpath("//b[@data-demo]")}
    assert shown == DEMO == {"username": "ada", "password": "lovelace"}


def test_a_key_that_opens_nothing_is_said_to(visitor, engine):
    visitor.jar.store(f"sessionid_11={'x' * 32}; Path=/", visitor.origin)
    response = visitor.get("/")
    assert notices(response) != []
    assert facts(response)["key"] is None
    # The cookie is deleted, but signed_cookies then stores an empty session in a new one.
    assert (pages.key(visitor) is None) == (engine != "signed_cookies")


@pytest.mark.in_process
def test_a_damaged_row_is_nobodys_session_and_does_not_keep_anyone_from_logging_in(visitor):
    pages.log_in(visitor)
    Session.objects.update(session_data="garbage")
    response = visitor.get("/")
    assert not pages.logged_in(response)
    assert notices(response) != []
    assert pages.logged_in(pages.log_in(visitor))


def test_the_fullest_cart_fits_into_a_signed_cookie(visitor, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    pages.log_in(visitor)
    emoji = [chr(number) for number in range(0x1F300, 0x1F5FF)]
    chance = random.Random(11)
    for _ in range(10):
        response = pages.add(visitor, "".join(chance.choices(emoji, k=40)), 999)
    assert len(table(response)) == 10
    refused = pages.add(visitor, "one more")
    assert refused.status_code == 422
    assert len(form_errors(refused)) == 1
    assert pages.logged_in(visitor.get("/"))


@pytest.mark.in_process
@pytest.mark.pitfall("B34")
def test_only_goods_are_among_the_goods(visitor):
    pages.add(visitor, "apple", 3)
    response = pages.log_in(visitor)
    assert table(response) == {"apple": 3}
    # If the whole session were the cart, these entries would be goods too.
    session = decoded(visitor)
    assert {"_auth_user_id", "_auth_user_backend", "_auth_user_hash"} < session.keys()
    assert facts(response).items() >= {k: v for k, v in session.items() if k != "cart"}.items()


def test_wrong_input_is_an_error_beside_what_was_typed(visitor, subtests):
    before = table(pages.add(visitor, "bread", 2))
    for name, quantity in [("apple", 0), ("apple", 1000), ("apple", "1_0"), ("", 1), ("x" * 41, 1)]:
        with subtests.test(name=name, quantity=quantity):
            response = pages.add(visitor, name, quantity)
            assert response.status_code == 422
            assert table(response) == before
    assert pages.add(visitor, "bread", 998).status_code == 422
    assert table(visitor.get("/")) == before


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example",
        "\\\\evil.example", "javascript:alert(7)", "http:evil.example", " //evil.example",
        "http://[", "http://127.0.0.1@evil.example/", "http://127.0.0.1.evil.example/", "",
    ],
)  # fmt: skip
def test_no_login_leads_to_another_site(visitor, address):
    assert pages.sent_on_to(visitor, address) == "/"
    form = pages.with_token(visitor, next=address)
    assert visitor.post("/logout/", form)["Location"] == "/"


def test_does_it_tell_large_letters_from_small_ones(visitor):
    # MariaDB's default collation ignores case, in user names too.
    response = pages.log_in(visitor, "ADA")
    if connection.vendor == "mysql":
        assert pages.logged_in(response)
    else:
        assert not pages.logged_in(visitor.get("/"))
        assert len(form_errors(response)) == 1


# The one user


def test_the_one_user_is_there_again_after_a_flush(transactional_db, visitor):
    User.objects.all().delete()
    assert len(form_errors(pages.log_in(visitor))) == 1
    call_command("flush", interactive=False, verbosity=0)
    assert pages.logged_in(pages.log_in(visitor))


@pytest.mark.in_process
def test_the_one_password_is_hashed_for_a_class(visitor):
    algorithm, iterations, *_ = User.objects.get().password.split("$")
    assert (algorithm, int(iterations)) == ("pbkdf2_sha256", DemoPasswordHasher.iterations)
    assert DemoPasswordHasher.iterations * 100 < PBKDF2PasswordHasher.iterations


@pytest.mark.in_process
def test_a_second_migrate_leaves_the_user_alone(visitor):
    before = User.objects.values().get()
    call_command("migrate", verbosity=0)
    assert User.objects.values().get() == before


# Item names that Django or the browser uses for something else


@pytest.mark.pitfall("B10", "B33")
def test_no_item_touches_the_login(visitor, monkeypatch):
    names = [*HOSTILE_NAMES, "sessionid_11", "csrftoken_11"]
    monkeypatch.setattr(storage, "MAX_ITEMS", len(names))
    pages.log_in(visitor)
    key, form = pages.key(visitor), pages.with_token(visitor, quantity=3)
    for name in names:
        assert visitor.post("/add/", form | {"name": name}).status_code == 302
    response = visitor.get("/")
    assert pages.logged_in(response)
    assert table(response) == dict.fromkeys(names, 3)
    assert pages.key(visitor) == key


@pytest.mark.pitfall("B10")
def test_an_item_as_a_cookie_of_its_name_would_end_the_login(visitor, settings):
    def add(request):
        response = redirect("index")
        response.set_cookie(request.POST["name"], request.POST["quantity"], 180)
        return response

    class CookiePerItem:
        urlpatterns = (path("add/", add), *urls.urlpatterns)

    settings.ROOT_URLCONF = CookiePerItem
    pages.log_in(visitor)
    assert pages.logged_in(pages.add(visitor, "apple"))
    response = pages.add(visitor, "sessionid_11")
    assert not pages.logged_in(response)
    assert pages.key(visitor) is None  # Django deleted the cookie, which matches no session


@pytest.mark.pitfall("B33")
def test_an_item_as_an_entry_of_its_name_would_end_the_login(visitor, monkeypatch):
    def put(request, response, name, quantity):
        request.session[name] = quantity

    monkeypatch.setattr(storage, "put", put)
    pages.log_in(visitor)
    assert pages.logged_in(pages.add(visitor, "apple"))
    response = pages.add(visitor, "_auth_user_id", 999)
    assert not pages.logged_in(response)
    assert "_auth_user_id" in decoded(visitor)  # the entry stays until the session ends


@pytest.mark.pitfall("B33")
def test_text_as_such_an_entry_would_break_every_page():
    request = HttpRequest()
    request.session = {"_auth_user_id": "abc"}
    with pytest.raises(ValidationError):
        auth.get_user(request)


# The cookie among others


@pytest.mark.in_process
@pytest.mark.pitfall("B38")
@pytest.mark.parametrize(("cookies", "kept"), [(50, True), (200, False)])
def test_too_many_cookies_of_another_application_push_out_the_login(visitor, cookies, kept):
    pages.log_in(visitor)
    page = visitor.get("/")
    for number in range(cookies):  # like a cart on another port; lab 03 sets at most 50 cookies
        visitor.jar.store(f"item{number}=1; Max-Age=180; Path=/", visitor.origin)
    added = visitor.submit("/add/", {"name": "apple", "quantity": 1}, page=page)
    assert added.status_code == (200 if kept else 403)  # the CSRF cookie was pushed out too
    assert pages.logged_in(visitor.get("/")) == kept
    assert Session.objects.count() == 1  # only someone who has copied the key still has it


@pytest.fixture
def shop(settings):
    """Make the lab accept several host names, and return a visitor at shop.test."""
    settings.ALLOWED_HOSTS = [".shop.test", ".other.test", "127.0.0.1"]
    return Visitor(host="shop.test")


def at(host, visitor):
    """Open the start page at another host name of the same server."""
    return visitor.get("/", headers={"host": host})


@pytest.mark.claim("C78")
def test_without_a_cookie_domain_a_login_is_for_one_host(shop, settings):
    assert settings.SESSION_COOKIE_DOMAIN is None
    pages.log_in(shop)
    assert shop.jar.get("sessionid_11").host_only
    assert pages.logged_in(at("shop.test", shop))
    assert not pages.logged_in(at("www.shop.test", shop))


@pytest.mark.claim("C78")
def test_with_a_cookie_domain_a_login_is_for_its_subdomains_and_no_other_domain(shop, settings):
    settings.SESSION_COOKIE_DOMAIN = "shop.test"
    pages.log_in(shop)
    for host in ("shop.test", "www.shop.test", "a.b.shop.test"):
        assert pages.logged_in(at(host, shop))
    assert not pages.logged_in(at("other.test", shop))


@pytest.mark.claim("C78")
@pytest.mark.parametrize("host", ["other.test", "127.0.0.1"])
def test_a_cookie_for_another_domain_is_refused_by_the_browser(shop, settings, host):
    settings.SESSION_COOKIE_DOMAIN = "shop.test"
    visitor = Visitor(host=host)
    with visitor.expecting(COOKIE_REFUSED):
        response = pages.log_in(visitor)
    assert not pages.logged_in(response)
    assert Session.objects.count() == 1  # the server has stored the session


@pytest.mark.claim("C79")
def test_after_a_change_of_domain_the_browser_sends_both_cookies_and_the_login_works(
    shop, settings
):
    pages.add(shop, "apple")
    old = shop.jar.get("sessionid_11")
    Session.objects.all().delete()  # has the effect of a session that expired only on the server
    settings.SESSION_COOKIE_DOMAIN = "shop.test"
    assert pages.logged_in(pages.log_in(shop))
    pairs = [c.pair for c in shop.jar.select(shop.origin)[0] if c.name == "sessionid_11"]
    assert len(pairs) == 2
    # The browser sends the older cookie first, and Django uses the last one.
    assert pairs[0] == old.pair


@pytest.mark.claim("C79")
def test_with_the_old_cookie_last_the_login_is_not_seen(shop, settings):
    pages.add(shop, "apple")
    Session.objects.all().delete()
    settings.SESSION_COOKIE_DOMAIN = "shop.test"
    pages.log_in(shop)
    old, new = [cookie for cookie in shop.jar if cookie.name == "sessionid_11"]
    for header, seen in [(f"{old.pair}; {new.pair}", True), (f"{new.pair}; {old.pair}", False)]:
        response = Visitor(host="shop.test").get("/", headers={"cookie": header})
        assert pages.logged_in(response) == seen


@pytest.mark.claim("C79")
def test_no_logout_deletes_the_old_cookie(shop, settings):
    pages.add(shop, "apple")
    settings.SESSION_COOKIE_DOMAIN = "shop.test"
    pages.log_in(shop)
    pages.log_out(shop)
    (left,) = [cookie for cookie in shop.jar if cookie.name == "sessionid_11"]
    assert left.host_only  # deleting a cookie requires the Domain that it was set with
