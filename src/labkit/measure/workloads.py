"""The workload of each table: what visitors do in its labs during a measurement."""

import asyncio
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import ClassVar
from urllib.parse import urlsplit

from labkit.http.client import BrowserClient, Response

ADDS = 100  # how many adds several tabs send at once, to count how many are stored
COLOURS = (
    *("red", "green", "blue", "black", "white", "brown", "gold", "grey"),
    *("pink", "plum", "ivory", "olive", "ruby", "teal", "rusty"),
)
GOODS = (
    *("apple", "bread", "butter", "candle", "carrot", "cherry", "hammer"),
    *("ladder", "lemon", "pencil", "potato", "saucer", "tea", "whisk"),
)


def goods(number: int) -> str:
    """Return one of 210 realistic names of goods, since names affect compression."""
    return f"{COLOURS[number % len(COLOURS)]} {GOODS[number // len(COLOURS) % len(GOODS)]}"


def long_goods(number: int) -> str:
    """Return one of the names, extended to 40 letters."""
    return f"{goods(number)} of a sort that has an unmistakable name"[:40]


def chinese_characters(number: int) -> str:
    """Return 40 random Chinese characters, which hardly compress; `number` is the seed."""
    return "".join(map(chr, Random(number).choices(range(0x4E00, 0x9FA5), k=40)))


# The names affect how many items fit: in a cookie, one Chinese character is sent as %E4%B8%80.
NAMES: dict[str, Callable[[int], str]] = {
    "short names": goods,
    "names of 40 letters": long_goods,
    "names of 40 Chinese characters": chinese_characters,
}


class WorkloadError(Exception):
    """A server did not behave as the workload expects; the message says what it did instead."""


@dataclass
class Visit:
    """A visitor of a variant, and the state of the visit."""

    client: BrowserClient
    prefix: str = "/"  # the beginning of the URLs of this variant's pages
    at: str = ""  # the path of the current page of a wizard
    # The hidden fields of the form on the current page.
    carried: dict[str, str] = field(default_factory=dict)


class Workload:
    """The requests that visitors send, the same for all variants of a table."""

    unit: ClassVar[str]  # the unit in which the size of the state is given
    sizes: ClassVar[Sequence[int]]  # the sizes at which requests are measured
    kinds: ClassVar[dict[str, str]]  # {kind of measured request: its description}
    # Keys of NAMES: the kinds of name with which the largest size is measured.
    ways: ClassVar[Collection[str]] = ()
    # What is counted when several tabs write at once; empty if this is not measured.
    crowd: ClassVar[str] = ""
    robot: ClassVar[list[str]]  # the paths that a robot requests

    async def begin(self, visit: Visit) -> None:
        """Send the requests that come before the first request that stores data."""

    async def grow(self, visit: Visit, number: int, way: str = "") -> bool:
        """Store one more item; return False if it is refused because the state is full."""
        raise NotImplementedError

    async def ask(self, kind: str, visit: Visit) -> list[Response]:
        """Send a request of this kind, which leaves the size unchanged; return the responses."""
        raise NotImplementedError

    async def size(self, visit: Visit) -> int:
        """Return the size of the state, as a page shows it."""
        raise NotImplementedError

    async def sitting(self, visit: Visit) -> None:
        """Send the requests of a short visit."""
        raise NotImplementedError

    async def survivors(self, visit: Visit, tabs: int, adds: int = ADDS) -> int:
        """Return how many of `adds` are stored if a browser's tabs write at the same time."""
        raise NotImplementedError


class Carts(Workload):
    """A cart: named items, and a page that shows them."""

    unit = "items in the cart"
    sizes = (1, 2, 5, 10, 20, 50, 100, 200)
    kinds: ClassVar = {"page": "the cart's page", "add": "an add"}
    ways = tuple(NAMES)
    crowd = "adds that survive"
    robot: ClassVar = ["/", "/add/", "/display/", "/info/"]

    async def begin(self, visit: Visit) -> None:
        """Open the form, to get its CSRF token."""
        await visit.client.get("/add/")

    async def grow(self, visit: Visit, number: int, way: str = "short names") -> bool:
        """Add another item to the cart."""
        answer = await self._add(visit.client, NAMES[way](number))
        if answer.status not in {302, 422}:
            raise WorkloadError(f"an add got the response {answer.status}")
        return answer.status == 302

    async def ask(self, kind: str, visit: Visit) -> list[Response]:
        """Open the cart, or add one more of an item that it already contains."""
        if kind == "page":
            answer = await visit.client.get("/display/")
        else:
            answer = await self._add(visit.client, goods(1))
        if answer.status != {"page": 200, "add": 302}[kind]:
            raise WorkloadError(f"{self.kinds[kind]} got the response {answer.status}")
        return [answer]

    async def size(self, visit: Visit) -> int:
        """Return the number of rows in the page's table."""
        page = await visit.client.get("/display/")
        return page.body.count('<th scope="row">')

    async def sitting(self, visit: Visit) -> None:
        """Open the cart, add three items, and open it again."""
        await visit.client.get("/")
        await visit.client.get("/add/")
        for number in range(3):
            await self._add(visit.client, goods(number))
        await visit.client.get("/display/")

    async def survivors(self, visit: Visit, tabs: int, adds: int = ADDS) -> int:
        """Add different items in waves; between waves, empty the cart but keep the session."""
        client = visit.client
        await self.begin(visit)
        await self._add(client, "the first")
        kept = 0
        for _ in range(adds // tabs):
            await client.post("/empty/")
            wave = [self._add(client.tab(), goods(number)) for number in range(tabs)]
            answers = await asyncio.gather(*wave)
            if any(answer.status != 302 for answer in answers):
                raise WorkloadError(f"some of {tabs} concurrent adds were refused")
            kept += await self.size(visit)
        return kept

    async def _add(self, client: BrowserClient, name: str) -> Response:
        return await client.post("/add/", {"name": name, "quantity": "1"})


class Counts(Workload):
    """A page that counts its visits."""

    unit = "visits"
    sizes = (1, 10, 100)
    kinds: ClassVar = {"page": "the page"}
    crowd = "visits that are counted"
    robot: ClassVar = ["/"]

    async def grow(self, visit: Visit, number: int, way: str = "") -> bool:
        """Visit the page once more."""
        await visit.client.get("/")
        return True

    async def ask(self, kind: str, visit: Visit) -> list[Response]:
        """Visit the page once more. This adds one to the count."""
        return [await visit.client.get("/")]

    async def size(self, visit: Visit) -> int:
        """Return the count on the page. The request adds one to it."""
        page = await visit.client.get("/")
        found = re.search(r'class="number">(\d+)<', page.body)
        if not found:
            raise WorkloadError(f"the page with status {page.status} shows no count")
        return int(found[1])

    async def sitting(self, visit: Visit) -> None:
        """Visit the page four times."""
        for _ in range(4):
            await visit.client.get("/")

    async def survivors(self, visit: Visit, tabs: int, adds: int = ADDS) -> int:
        """Visit in waves, with one more visit before the first wave and one after the last."""
        await visit.client.get("/")
        for _ in range(adds // tabs):
            await asyncio.gather(*(visit.client.tab().get("/") for _ in range(tabs)))
        return await self.size(visit) - 2


class Wizard(Workload):
    """A form with three pages and one question on each."""

    unit = "answers given"
    sizes = (1, 2, 3)
    kinds: ClassVar = {"step": "an answer, and the page that follows it"}
    robot: ClassVar = ["/", "{}name/"]
    ANSWERS: ClassVar = {"name": "Ada Lovelace", "age": "36", "gf": "Charles Babbage"}
    PAGES: ClassVar = [*ANSWERS, "results"]

    async def begin(self, visit: Visit) -> None:
        """Open the first question."""
        visit.at = f"{visit.prefix}name/"
        self._note(visit, await visit.client.get(visit.at))

    async def grow(self, visit: Visit, number: int, way: str = "") -> bool:
        """Answer the next question."""
        await self._answer(visit)
        return True

    async def ask(self, kind: str, visit: Visit) -> list[Response]:
        """Answer the last question again, as if the visitor had gone back one page."""
        before = urlsplit(visit.at)
        last = [*self.ANSWERS][await self.size(visit) - 1]
        visit.at = before._replace(path=f"{visit.prefix}{last}/").geturl()
        answers = await self._answer(visit)
        if not visit.at.startswith(before.path):
            raise WorkloadError(f"the wizard led to {visit.at} instead of {before.geturl()}")
        return answers

    async def size(self, visit: Visit) -> int:
        """Return how many questions are answered."""
        return self.PAGES.index(self._page(visit))

    async def sitting(self, visit: Visit) -> None:
        """Answer all questions."""
        await self.begin(visit)
        for _ in self.ANSWERS:
            await self._answer(visit)

    def _page(self, visit: Visit) -> str:
        """Return the name of the current page."""
        return urlsplit(visit.at).path.rstrip("/").rpartition("/")[2]

    async def _answer(self, visit: Visit) -> list[Response]:
        page = self._page(visit)
        fields = {page: self.ANSWERS[page], **visit.carried}
        answers = [await visit.client.request("POST", visit.at, fields)]
        if answers[0].status == 302:
            visit.at = answers[0].headers["Location"]
            answers.append(await visit.client.get(visit.at))
        elif answers[0].status == 200:  # this page contains the answers, so there is no redirect
            visit.at = f"{visit.prefix}{self.PAGES[self.PAGES.index(page) + 1]}/"
        else:
            raise WorkloadError(f"an answer got the response {answers[0].status}")
        self._note(visit, answers[-1])
        return answers

    def _note(self, visit: Visit, page: Response) -> None:
        """Remember the hidden fields of the form on this page; the page of results has no form."""
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.body)
        if hidden:
            visit.carried = dict(hidden)


WORKLOADS = {"carts": Carts(), "engines": Carts(), "counts": Counts(), "wizard": Wizard()}
