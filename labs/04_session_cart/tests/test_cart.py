from django.contrib.sessions.models import Session
from django.db import connection

from lab import storage
from labkit.testing.contracts import CartContract, table, words
from labkit.testing.raw import unknown_session_ids


class TestCart(CartContract):
    lifetime = 120
    capacity = 200
    raw_requests = unknown_session_ids("sessionid_04")


cart = TestCart()


def test_where_is_the_cart(visitor):
    cart.put(visitor, "red apple", 3)
    cart.put(visitor, "pear", 1)
    held = {cookie.name: cookie.value for cookie in visitor.jar if "csrf" not in cookie.name}
    row = Session.objects.get()
    assert held == {"sessionid_04": row.session_key}
    assert row.get_decoded()["cart"] == {"red apple": 3, "pear": 1}


def test_which_flags_has_its_cookie(visitor):
    cart.put(visitor, "pear")
    cookie = visitor.jar.get("sessionid_04")
    assert cookie.http_only
    assert cookie.same_site == "Lax"


def test_which_table_does_it_need():
    assert "django_session" in connection.introspection.table_names()
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("DESCRIBE django_session")
            assert [column[:4] for column in cursor.fetchall()] == [
                ("session_key", "varchar(40)", "NO", "PRI"),
                ("session_data", "longtext", "NO", ""),
                ("expire_date", "datetime(6)", "NO", "MUL"),
            ]


def test_what_does_a_second_add_change(visitor, clock):
    cart.put(visitor, "apple")
    first = Session.objects.get()
    clock.forward(seconds=30)
    cart.put(visitor, "pear")
    second = Session.objects.get()
    assert second.session_key == first.session_key
    assert second.session_data != first.session_data
    assert (second.expire_date - first.expire_date).total_seconds() == 30


def test_what_does_a_second_browser_add(visitor, classmate):
    cart.put(visitor, "apple")
    cart.put(classmate, "apple")
    assert visitor.jar.get("sessionid_04").value != classmate.jar.get("sessionid_04").value
    assert Session.objects.count() == 2


def test_does_adding_one_item_prolong_the_others(visitor, clock):
    cart.put(visitor, "apple")
    clock.forward(seconds=100)
    cart.put(visitor, "pear")
    clock.forward(seconds=100)
    assert cart.cart(visitor) == {"apple": 1, "pear": 1}


def test_does_it_outlive_the_browser(visitor):
    cart.put(visitor, "apple")
    visitor.close_browser()
    assert cart.cart(visitor) == {"apple": 1}


def test_can_the_visitor_change_it(visitor):
    cart.put(visitor, "apple", 3)
    visitor.edit_cookie("sessionid_04", "5")
    assert cart.cart(visitor) == {}


def test_what_becomes_of_nonsense_in_the_cookie(visitor, subtests):
    cart.put(visitor, "apple", 3)
    key = visitor.jar.get("sessionid_04").value
    for nonsense in ["", "x", "x" * 300, "' OR 1=1 --", "../../etc/passwd", "🍎", '"', "a" * 32]:
        with subtests.test(nonsense=nonsense):
            response = visitor.get("/display/", headers={"cookie": f"sessionid_04={nonsense}"})
            assert table(response) == {}
            assert "a session key that opens nothing" in words(response)
            visitor.jar.store(f"sessionid_04={key}", visitor.origin)
    assert table(visitor.get("/display/")) == {"apple": 3}


def test_is_anything_left_after_the_cart_is_emptied(visitor):
    cart.put(visitor, "apple")
    cart.empty(visitor)
    assert [cookie.name for cookie in visitor.jar] == ["csrftoken_04", "sessionid_04"]
    assert Session.objects.get().get_decoded() == {"_session_expiry": 120}


def test_does_a_copied_cookie_bring_back_an_emptied_cart(visitor):
    cart.put(visitor, "apple", 3)
    copied = visitor.jar.get("sessionid_04").pair
    cart.empty(visitor)
    assert table(visitor.get("/display/", headers={"cookie": copied})) == {}


def test_what_does_the_server_know_of_the_time_left(visitor, clock):
    cart.put(visitor, "apple")
    clock.forward(seconds=50)
    page = words(visitor.get("/info/"))
    assert "70 seconds: the row ends at 2030-01-07 09:02:00 UTC" in page
    assert "get_expiry_age() says 120 seconds, at every call" in page


def test_what_does_the_info_page_show(visitor, clock):
    cart.put(visitor, "red apple", 3)
    clock.forward(seconds=50)
    row = Session.objects.get()
    page = words(visitor.get("/info/"))
    assert "How long is left? 70 seconds: the row ends at 2030-01-07 09:02:00 UTC." in page
    assert "get_expiry_age() says 120 seconds, at every call: it does not count down." in page
    assert "get_expiry_date() says 2030-01-07 09:02:50 UTC: reckoned from now." in page
    assert "Does it end when the browser closes? No, it stays." in page
    assert f"Session key, as in the cookie {row.session_key}" in page
    assert f"session_data in the row {row.session_data}" in page
    assert "decoded {'cart': {'red apple': 3}, '_session_expiry': 120}. It is signed" in page


def test_what_if_the_server_forgets(visitor):
    cart.put(visitor, "apple", 3)
    Session.objects.all().delete()
    response = visitor.get("/display/")
    assert table(response) == {}
    assert "a session key that opens nothing" in words(response)
    assert visitor.jar.get("sessionid_04") is None


def test_what_if_the_server_forgets_while_it_answers(visitor, monkeypatch):
    fields = cart.put(visitor, "apple", 3)
    put = storage.put
    monkeypatch.setattr(storage, "put", lambda *a: (put(*a), Session.objects.all().delete()))
    response = visitor.post("/add/", fields)
    assert response.status_code == 400
    assert "Your session was deleted while this request was under way" in words(response)
    assert Session.objects.count() == 0


def test_what_if_what_is_kept_is_damaged(visitor, subtests):
    cart.put(visitor, "apple", 3)
    key = Session.objects.get().session_key
    for data in ["", "garbage", "a:b:c", "é", "x" * 5000]:
        with subtests.test(data=data):
            Session.objects.update(session_data=data)
            response = visitor.get("/display/")
            assert table(response) == {}
            assert "a session key that opens nothing" in words(response)
            assert "damaged" in words(visitor.get("/info/"))
    cart.put(visitor, "pear")
    assert Session.objects.get().session_key == key
    assert cart.cart(visitor) == {"pear": 1}


def test_does_it_tell_large_letters_from_small_ones(visitor):
    cart.put(visitor, "apple", 3)
    key = visitor.jar.get("sessionid_04").value
    # MariaDB's usual collation compares without regard to case and to spaces at the end.
    expected = {"apple": 3} if connection.vendor == "mysql" else {}
    for variant in (key.upper(), f'"{key}  "'):
        header = {"cookie": f"sessionid_04={variant}"}
        assert table(visitor.get("/display/", headers=header)) == expected
        visitor.jar.store(f"sessionid_04={key}; Path=/", visitor.origin)


def test_how_many_of_the_longest_names_fit(visitor):
    fields = cart.put(visitor, "🍎" * 40)
    for number in range(10, 99):
        response = visitor.post("/add/", fields | {"name": "🍎" * 38 + str(number)})
        assert response.status_code == 302
    assert len(cart.cart(visitor)) == 90


def test_what_can_the_visitor_be_told_after_the_end(visitor, clock):
    cart.put(visitor, "apple")
    row = Session.objects.get()
    row.expire_date = clock.now
    row.save()
    assert "a session key that opens nothing" in words(visitor.get("/display/"))
    assert "no items" in words(visitor.get("/display/"))
