"""Visitors who fill their carts while a server is killed, and record the acknowledged adds."""

import asyncio
import re

from labkit.http.client import BrowserClient


class Adder:
    """A visitor who fills a cart, as in labs 04 and 10."""

    def __init__(self, port):
        self.client = BrowserClient(port)
        self.kept = set()  # the names that the server has acknowledged
        self.before = set()  # those that it had acknowledged before it last replaced the session
        self._key = ""  # the session key
        self.unknown = 0  # the number of forms that may or may not have been processed
        self.refused = 0  # how many responses asked the visitor to repeat the request

    async def add(self, name):
        """Open the form and send it once. If the store fails, try again."""
        while (form := await self.client.get("/add/")).status == 503:
            await self._refused(form)
        assert form.status == 200
        while (answer := await self._send(name)).status == 503:
            await self._refused(answer)
        assert answer.status in {302, 502}
        if answer.status == 302:
            found = (each for each in self.client.jar if each.name.startswith("sessionid"))
            key = next((each.value for each in found), "")
            if self._key not in {"", key}:
                self.before = set(self.kept)
            self._key = key
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
        """Return the names in the cart on each of `count` successive pages."""
        answers = [asyncio.run(self.client.get("/display/")) for _ in range(pages)]
        assert {answer.status for answer in answers} == {200}
        return [{*re.findall(r'scope="row">(.*?)<', answer.body)} for answer in answers]


def add_all(adders, items, at_half):
    """Add items to all carts concurrently; call `at_half` once half are acknowledged."""

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
