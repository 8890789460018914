"""A state machine that uses the wizard at random and checks it against a model."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies
from hypothesis.stateful import rule

from labkit.testing.state_machine import Machine, people
from labkit.testing.visitor import Visitor
from tests.contract import STEPS, step_of, told


@dataclass
class Person:
    """A visitor, the page they have open, and the answers that the model expects."""

    visitor: Visitor
    page: Any = None
    answers: dict[str, str] = field(default_factory=dict)
    end: float = 0.0  # POSIX seconds


class WizardMachine(Machine):
    """Model a wizard that asks for missing answers, and keeps answers until they expire."""

    wizard: Any  # a WizardContract

    def __init__(self) -> None:
        super().__init__()
        self.people = [Person(Visitor()), Person(Visitor())]

    def _shown(self, person: Person, page: Any, step: str, written: bool) -> None:
        """Check that the page shows this step, or the first earlier one without an answer."""
        # In these cases, the answers are signed again.
        if written or (person.answers and not self.wizard.redirects):
            person.end = self.now + self.wizard.lifetime
        earlier = STEPS[: STEPS.index(step)]
        assert step_of(page) == next((s for s in earlier if s not in person.answers), step)
        assert told(page) == [person.answers[s] for s in STEPS if s in person.answers]
        person.page = page

    def _shut_out(self, person: Person) -> bool:
        return self.wizard.needs_cookies and person.visitor.jar.blocked

    def _open(self, person: Person) -> Any:
        """Return the open page, or else the first page, and drop expired answers from the model."""
        if self.now >= person.end:
            person.answers = {}
        return person.page or self.wizard.start(person.visitor)

    @rule(who=people, value=strategies.sampled_from(["7", "अनु", "0", "Bea", "", "151", "x" * 41]))
    def answer(self, who: int, value: str) -> None:
        """Answer the open page's question, with a valid or invalid value."""
        person = self.people[who]
        page = self._open(person)
        step = step_of(page)
        if step == "results":
            return
        response = self.wizard.answer(person.visitor, page, **{step: value})
        if self._shut_out(person):
            assert response.status_code == 403
            return
        right = 0 < len(value) <= 40 and (step != "age" or value in {"7", "0"})
        if right:
            person.answers[step] = value
            self._shown(person, response, STEPS[STEPS.index(step) + 1], written=True)
        else:
            self._shown(person, response, step, written=False)

    @rule(who=people, step=strategies.sampled_from(STEPS))
    def look(self, who: int, step: str) -> None:
        """Go to any step, forward or back."""
        person = self.people[who]
        page = self._open(person)
        if self._shut_out(person):
            assert told(self.wizard.start(person.visitor)) == []
        else:
            self._shown(person, self.wizard.again(person.visitor, page, step), step, written=False)

    @rule(who=people)
    def start_again(self, who: int) -> None:
        """Press "Start again", if the page has this button."""
        person = self.people[who]
        page = self._open(person)
        if told(page) and not self._shut_out(person):
            page = self.wizard.answer(person.visitor, page, forget="")
            person.answers = {}
            self._shown(person, page, "name", written=False)

    # No sum of these numbers is exactly 600 seconds, because the result would then depend on a
    # fraction of a second.
    @rule(seconds=strategies.sampled_from([7, 290, 598, 603]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.forward(seconds=seconds)

    @rule(who=people)
    def close_the_browser(self, who: int) -> None:
        """Close the open page. Answers that only this page carried are lost."""
        person = self.people[who]
        person.visitor.close_browser()
        person.page = None
        if not self.wizard.needs_cookies:
            person.answers = {}

    @rule(who=people, blocked=strategies.booleans())
    def block_cookies(self, who: int, blocked: bool) -> None:
        """Delete the cookies. A wizard that carries the answers in the page is not affected."""
        person = self.people[who]
        person.visitor.block_cookies(blocked)
        if self.wizard.needs_cookies:
            person.page = None  # without cookies, the form's CSRF cookie is gone too
