"""A solution to the exercise test-the-greeting."""

from labkit.testing.contracts import words


def greet(visitor, name):
    return visitor.submit("/greet/", {"name": name, "remember": "session"}, page="/")


def test_a_name_in_any_script_is_greeted(visitor):
    for name in ("Anu", "अनु", "日本", "a;b, c"):
        assert name in words(greet(visitor, name))


def test_a_long_name_is_refused(visitor):
    assert greet(visitor, "x" * 40).status_code == 200
    assert greet(visitor, "x" * 41).status_code == 422


def test_visitors_are_greeted_apart(visitor, classmate):
    greet(visitor, "Anu")
    assert "Anu" not in words(classmate.get("/result/"))


def test_no_url_has_the_token(visitor):
    greet(visitor, "Anu")
    assert not any("csrf" in exchange.url for exchange in visitor.exchanges)


def test_the_time_has_its_zone(visitor, clock):
    assert "UTC" in words(greet(visitor, "Anu"))
    assert clock.now.strftime("%H:%M") in words(visitor.get("/result/"))
