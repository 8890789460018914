"""Delete the cookies of labs that were reset, at every host name under which a browser has them.

Only a response from a host can delete the cookies of that host. After a reset, the browser is
therefore redirected through the console at each host name, and finally back to the page with the
button. These are top-level requests, so SameSite does not affect them, and they need no script.
The header Clear-Site-Data is not used: it would also delete the cookies of all other labs, because
cookies ignore ports.
"""

import secrets
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from labkit.base.cookie_names import lab_number
from labkit.console import supervisor
from labkit.console.live_exchanges import UNREADABLE, fetch
from labkit.panel.access import host_name, is_local_host
from labkit.panel.own_cookies import OwnCookie, expire
from labkit.serve.supervisor import LabProcess

ADDRESS = "/__lab__/own-cookies.json"
ALWAYS = ("127.0.0.1", "localhost")
MOST_HOSTS = 10  # Chromium follows at most 20 redirects
MOST_TOURS = 20


@dataclass(frozen=True)
class Tour:
    """The redirects through all hosts after one reset."""

    numbers: frozenset[str]  # of the labs
    cookies: dict[str, list[OwnCookie]]  # the cookies that the labs have logged, by host
    hosts: Sequence[str]  # the host names, in the order of the redirects
    back: str  # the URL of the page with the button

    def next_url(self, token: str, host: str = "") -> str:
        """Return the URL at the host after `host`; by default, the first URL."""
        following = self.hosts.index(host) + 1 if host in self.hosts else 0
        if following == len(self.hosts):
            return self.back
        path = reverse("expire_cookies", args=[token])
        return f"http://{self.hosts[following]}:{supervisor().port}{path}"


# The latest tours by token. Other sites cannot guess a token. A tour is kept after its use, because
# a browser may repeat a redirect.
_tours: dict[str, Tour] = {}


def logged_cookies(request: HttpRequest, labs: Iterable[LabProcess]) -> dict[str, list[OwnCookie]]:
    """Return the cookies that these labs have set in this browser, by host.

    A reset empties the logs, so call this function before. Labs that do not respond are left out.
    """
    agent = request.headers.get("User-Agent", "")
    running = [served for served in labs if served.state == "running"]
    found: dict[str, list[OwnCookie]] = {}
    with ThreadPoolExecutor(len(running) or 1) as pool:
        for cookies in pool.map(lambda served: _fetch_cookies(served, agent), running):
            for host, some in cookies.items():
                found.setdefault(host, []).extend(some)
    return found


def _fetch_cookies(served: LabProcess, agent: str) -> dict[str, list[OwnCookie]]:
    with suppress(*UNREADABLE):
        report = fetch(served.port, ADDRESS, agent)
        return {host: [OwnCookie(*each) for each in some] for host, some in report.items()}
    return {}


def start(
    request: HttpRequest,
    labs: Iterable[LabProcess],
    cookies: dict[str, list[OwnCookie]],
    back: str,
) -> HttpResponse:
    """Send the browser to the first host. `back`: the path of the page to show at the end.

    A script sends X-Requested-With and receives {"next": URL}, because fetch() does not follow a
    redirect to another host.
    """
    here = host_name(request)
    others = [host for host in cookies if is_local_host(host) and ":" not in host]
    hosts = list(dict.fromkeys([here, *ALWAYS, *others]))[:MOST_HOSTS]
    numbers = frozenset(served.number for served in labs)
    tour = Tour(numbers, cookies, hosts, f"http://{here}:{supervisor().port}{back}")
    token = secrets.token_urlsafe(16)
    _tours[token] = tour
    while len(_tours) > MOST_TOURS:
        del _tours[next(iter(_tours))]
    url = tour.next_url(token)
    if "X-Requested-With" in request.headers:
        return JsonResponse({"next": url})
    return redirect(url)


@require_GET
def expire_cookies(request: HttpRequest, token: str) -> HttpResponse:
    """Delete the labs' cookies of this host, and redirect to the next one."""
    tour = _tours.get(token)
    if tour is None:
        return redirect("index")
    host = host_name(request)
    response = redirect(tour.next_url(token, host))
    response.headers["Cache-Control"] = "no-store"
    sent = [OwnCookie.of_name(each) for each in request.COOKIES if lab_number(each) in tour.numbers]
    expire(response, [*tour.cookies.get(host, ()), *sent])
    return response
