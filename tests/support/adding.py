"""Visitors who fill their carts while something dies, and note what they were told was kept."""

import asyncio
import re

from labkit.http.client import BrowserClient


class Adder:
    """A visitor who fills a cart, as in labs 04 and 10."""

    def __init__(self, port):
        self.client = BrowserClient(port)
        self.kept = set()  # the names that the server has acknowledged
        self.unknown = 0  # how many forms were answered: nobody can say
        self.refused = 0  # how many pages and forms were answered: try again in a moment

    async def add(self, name):
        """Open the form and send it, once; where the store fails, try again in a moment."""
        while (form := await self.client.get("/add/")).status == 503:
            await self._refused(form)
        assert form.status == 200
        while (answer := await self._send(name)).status == 503:
            await self._refused(answer)
        assert answer.status in {302, 502}
        if answer.status == 302:
            self.kept.add(name)
        else:
            self.unknown += 1

    async def _send(self, name):
        return await self.client.post("/add/", {"name": name, "quantity": "1"})

    async def _refused(self, answer):
        assert "Retry-After" in answer.headers
        self.refused += 1
        assert self.refused < 200, "it does not go on"
        await asyncio.sleep(0.1)

    def shown(self, pages):
        """What is in the cart, as each of so many pages in a row shows it."""
        answers = [asyncio.run(self.client.get("/display/")) for _ in range(pages)]
        assert {answer.status for answer in answers} == {200}
        return [{*re.findall(r'scope="row">(.*?)<', answer.body)} for answer in answers]


def add_all(adders, items, at_half):
    """All of them add so many items at once; `at_half` is called when half is acknowledged."""

    async def fill(adder):
        for item in range(items):
            await adder.add(f"item {item}")
            if waiting and sum(len(each.kept) for each in adders) >= len(adders) * items / 2:
                waiting.pop()()

    async def fill_all():
        await asyncio.gather(*map(fill, adders))

    waiting = [at_half]
    asyncio.run(fill_all())
    assert not waiting
