"""A solution to the exercise test-the-count."""

from labkit.testing.contracts import number


def test_every_visit_is_counted(visitor):
    assert [number(visitor.get("/")) for _ in range(3)] == [1, 2, 3]


def test_head_is_not_a_visit(visitor):
    visitor.get("/")
    visitor.head("/")
    assert number(visitor.get("/")) == 2


def test_nonsense_is_not_a_count(visitor):
    for value in ("abc", "-7", "1_0", ""):
        visitor.get("/")
        visitor.edit_cookie("count_02", value)
        assert number(visitor.get("/")) == 1


def test_scripts_cannot_read_the_cookie(visitor):
    visitor.get("/")
    cookie = visitor.jar.get("count_02")
    assert cookie.http_only
    assert cookie.same_site == "Lax"
