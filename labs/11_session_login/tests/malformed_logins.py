"""Login requests that no form sends. Status 200: the page shows the form with an error."""

from labkit.testing.malformed_requests import TOKEN, Raw


def login(name, body):
    return Raw(name, 200, "POST", b"/login/", body=b"csrfmiddlewaretoken=" + TOKEN + body)


LOGIN_REQUESTS = [
    login("no name and no password", b""),
    login("a name without a password", b"&username=ada"),
    login("a password twice: the last one counts", b"&username=ada&password=lovelace&password=x"),
    login("SQL for a name", b"&username=ada'+OR+'1'='1&password=x"),
    login("an emoji for a name", b"&username=%F0%9F%8D%8E&password=x"),
    login("markup for a name", b"&username=<script>alert(7)</script>&password=x"),
    login("NUL in a name", b"&username=a%00b&password=x"),
    login("NUL in a password", b"&username=ada&password=lovelace%00"),
    login("a name that is not UTF-8", b"&username=%ff%fe&password=%ff%fe"),
    login("a name of 200 000 characters", b"&password=x&username=" + b"x" * 200_000),
    login("a password of 200 000 characters", b"&username=ada&password=" + b"x" * 200_000),
    Raw("a name and password in the address", 200, path=b"/login/?username=ada&password=lovelace"),
    Raw("a login as JSON", 200, "POST", b"/login/", headers={"Content-Type": b"application/json", "X-CSRFToken": TOKEN}, body=b'{"username": "ada", "password": "lovelace"}'),
    Raw("a login by PUT", 405, "PUT", b"/login/", headers={"X-CSRFToken": TOKEN}),
    Raw("a login without a token", 403, "POST", b"/login/", body=b"username=ada&password=lovelace"),
    Raw("a logout by PUT", 405, "PUT", b"/logout/", headers={"X-CSRFToken": TOKEN}),
    Raw("GET that would add", 405, path=b"/add/?name=pear&quantity=1"),
]  # fmt: skip
