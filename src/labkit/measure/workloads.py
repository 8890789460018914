"""What is measured in the labs of each table: what a visitor does, and what is counted then."""

import asyncio
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import ClassVar
from urllib.parse import urlsplit

from labkit.http.client import BrowserClient, Response

ADDS = 100  # whose survivors are counted
COLOURS = (
    *("red", "green", "blue", "black", "white", "brown", "gold", "grey"),
    *("pink", "plum", "ivory", "olive", "ruby", "teal", "rusty"),
)
GOODS = (
    *("apple", "bread", "butter", "candle", "carrot", "cherry", "hammer"),
    *("ladder", "lemon", "pencil", "potato", "saucer", "tea", "whisk"),
)


def goods(number: int) -> str:
    """One of 210 names, as goods have them: what is alike in them can be compressed."""
    return f"{COLOURS[number % len(COLOURS)]} {GOODS[number // len(COLOURS) % len(GOODS)]}"


def long_goods(number: int) -> str:
    """The same at 40 letters."""
    return f"{goods(number)} of a sort that has an unmistakable name"[:40]


def signs(number: int) -> str:
    """40 Chinese signs at random, always the same for this number: they hardly compress."""
    return "".join(map(chr, Random(number).choices(range(0x4E00, 0x9FA5), k=40)))


# What fits depends on the names. A cookie's name is written in ASCII: %E4%B8%80 for one sign.
NAMES: dict[str, Callable[[int], str]] = {
    "short names": goods,
    "names of 40 letters": long_goods,
    "names of 40 Chinese signs": signs,
}


class Broken(Exception):
    """A server did not do what it is measured at; the message says what it did."""


@dataclass
class Visit:
    """One visitor of one variant, and what he has done so far."""

    client: BrowserClient
    prefix: str = "/"  # of the variant's pages
    at: str = ""  # where the wizard has led him
    carried: dict[str, str] = field(default_factory=dict)  # in the form that he has before him


class Subject:
    """What the variants of a table have in common, so that they can be asked the same."""

    unit: ClassVar[str]  # of what grows
    sizes: ClassVar[Sequence[int]]  # up to which it grows
    kinds: ClassVar[dict[str, str]]  # what is asked for at each size, and that in words
    ways: ClassVar[Collection[str]] = ()  # kinds of names with which its end is looked for
    crowd: ClassVar[str] = ""  # what many tabs do at once, if they do
    robot: ClassVar[list[str]]  # the pages that a robot asks for

    async def begin(self, visit: Visit) -> None:
        """What comes before the first thing is kept."""

    async def grow(self, visit: Visit, number: int, way: str = "") -> bool:
        """Keep one more; False where it is refused for want of room. Raises Broken."""
        raise NotImplementedError

    async def ask(self, kind: str, visit: Visit) -> list[Response]:
        """What the visitor's browser asks for, and the answers; it leaves the size as it is."""
        raise NotImplementedError

    async def size(self, visit: Visit) -> int:
        """How many are kept now, as a page shows it."""
        raise NotImplementedError

    async def sitting(self, visit: Visit) -> None:
        """What one visitor does in a few minutes."""
        raise NotImplementedError

    async def survivors(self, visit: Visit, tabs: int, adds: int = ADDS) -> int:
        """How many of `adds` are kept where this many tabs of one browser do it at once."""
        raise NotImplementedError


class Carts(Subject):
    """A cart: goods with names, and a page that shows them."""

    unit = "items in the cart"
    sizes = (1, 2, 5, 10, 20, 50, 100, 200)
    kinds: ClassVar = {"page": "the cart's page", "add": "an add"}
    ways = tuple(NAMES)
    crowd = "adds that survive"
    robot: ClassVar = ["/", "/add/", "/display/", "/info/"]

    async def begin(self, visit: Visit) -> None:
        """Open the form: it has the token without which nothing is taken."""
        await visit.client.get("/add/")

    async def grow(self, visit: Visit, number: int, way: str = "short names") -> bool:
        """Put one more into the cart."""
        answer = await self._add(visit.client, NAMES[way](number))
        if answer.status not in {302, 422}:
            raise Broken(f"an add was answered by {answer.status}")
        return answer.status == 302

    async def ask(self, kind: str, visit: Visit) -> list[Response]:
        """The page, or one more of the first of the goods."""
        if kind == "page":
            answer = await visit.client.get("/display/")
        else:
            answer = await self._add(visit.client, goods(1))
        if answer.status != {"page": 200, "add": 302}[kind]:
            raise Broken(f"{self.kinds[kind]} was answered by {answer.status}")
        return [answer]

    async def size(self, visit: Visit) -> int:
        """The rows of the page's table."""
        page = await visit.client.get("/display/")
        return page.body.count('<th scope="row">')

    async def sitting(self, visit: Visit) -> None:
        """Look, put three things into the cart, look again."""
        await visit.client.get("/")
        await visit.client.get("/add/")
        for number in range(3):
            await self._add(visit.client, goods(number))
        await visit.client.get("/display/")

    async def survivors(self, visit: Visit, tabs: int, adds: int = ADDS) -> int:
        """Different goods, in waves; the cart is emptied between two, and its session goes on."""
        client = visit.client
        await self.begin(visit)
        await self._add(client, "the first")
        kept = 0
        for _ in range(adds // tabs):
            await client.post("/empty/")
            wave = [self._add(client.tab(), goods(number)) for number in range(tabs)]
            answers = await asyncio.gather(*wave)
            if any(answer.status != 302 for answer in answers):
                raise Broken(f"of {tabs} adds at once some were refused")
            kept += await self.size(visit)
        return kept

    async def _add(self, client: BrowserClient, name: str) -> Response:
        return await client.post("/add/", {"name": name, "quantity": "1"})


class Counts(Subject):
    """A page that counts how often it was opened."""

    unit = "visits"
    sizes = (1, 10, 100)
    kinds: ClassVar = {"page": "the page"}
    crowd = "visits that are counted"
    robot: ClassVar = ["/"]

    async def grow(self, visit: Visit, number: int, way: str = "") -> bool:
        """One more visit."""
        await visit.client.get("/")
        return True

    async def ask(self, kind: str, visit: Visit) -> list[Response]:
        """One more visit, which its page counts."""
        return [await visit.client.get("/")]

    async def size(self, visit: Visit) -> int:
        """What the page says; asking for it is a visit."""
        page = await visit.client.get("/")
        found = re.search(r'class="number">(\d+)<', page.body)
        if not found:
            raise Broken(f"the page, {page.status}, shows no count")
        return int(found[1])

    async def sitting(self, visit: Visit) -> None:
        """Four visits."""
        for _ in range(4):
            await visit.client.get("/")

    async def survivors(self, visit: Visit, tabs: int, adds: int = ADDS) -> int:
        """Visits in waves; the first one and the last are alone."""
        await visit.client.get("/")
        for _ in range(adds // tabs):
            await asyncio.gather(*(visit.client.tab().get("/") for _ in range(tabs)))
        return await self.size(visit) - 2


class Wizard(Subject):
    """A form of three pages, with one answer on each."""

    unit = "answers given"
    sizes = (1, 2, 3)
    kinds: ClassVar = {"step": "an answer, and the page that follows it"}
    robot: ClassVar = ["/", "{}name/"]
    ANSWERS: ClassVar = {"name": "Ada Lovelace", "age": "36", "gf": "Charles Babbage"}

    async def begin(self, visit: Visit) -> None:
        """The first question."""
        visit.at = f"{visit.prefix}name/"
        self._note(visit, await visit.client.get(visit.at))

    async def grow(self, visit: Visit, number: int, way: str = "") -> bool:
        """Response the next question."""
        await self._answer(visit)
        return True

    async def ask(self, kind: str, visit: Visit) -> list[Response]:
        """Response the last question again, as after going back one page."""
        before = visit.at, dict(visit.carried)
        fields = list(self.ANSWERS)
        step = urlsplit(visit.at)
        last = fields[self._done(visit) - 1]
        visit.at = f"{visit.prefix}{last}/" + (f"?{step.query}" if step.query else "")
        answers = await self._answer(visit)
        if not visit.at.startswith(before[0].partition("?")[0]):
            raise Broken(f"the wizard led to {visit.at} and not to {before[0]}")
        return answers

    async def size(self, visit: Visit) -> int:
        """How far he has come."""
        return self._done(visit)

    async def sitting(self, visit: Visit) -> None:
        """All of it."""
        await self.begin(visit)
        for _ in self.ANSWERS:
            await self._answer(visit)

    def _done(self, visit: Visit) -> int:
        step = urlsplit(visit.at).path.rstrip("/").rpartition("/")[2]
        return [*self.ANSWERS, "results"].index(step)

    async def _answer(self, visit: Visit) -> list[Response]:
        step = urlsplit(visit.at).path.rstrip("/").rpartition("/")[2]
        following = [*self.ANSWERS, "results"][[*self.ANSWERS].index(step) + 1]
        fields = {step: self.ANSWERS[step], **visit.carried}
        answers = [await visit.client.request("POST", visit.at, fields)]
        if answers[0].status == 302:
            visit.at = answers[0].headers["Location"]
            answers.append(await visit.client.get(visit.at))
        elif answers[0].status == 200:  # the page that follows comes at once: it carries all
            visit.at = f"{visit.prefix}{following}/"
        else:
            raise Broken(f"an answer was answered by {answers[0].status}")
        self._note(visit, answers[-1])
        return answers

    def _note(self, visit: Visit, page: Response) -> None:
        """What the form on this page would send besides the answer; the results have no form."""
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.body)
        if hidden:
            visit.carried = dict(hidden)


SUBJECTS = {"carts": Carts(), "engines": Carts(), "counts": Counts(), "wizard": Wizard()}
