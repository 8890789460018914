"""URLs in the console for the links in a Markdown file."""

from django.urls import reverse

from labkit.console import supervisor


class ConsoleLinks:
    """The URLs that labkit.render.handout needs: pages of the console about the served labs."""

    def handout(self, number: str) -> str | None:
        """Return the URL of a lab's handout."""
        return reverse("handout", args=[number]) if supervisor().find(number) else None

    def code(self, number: str) -> str | None:
        """Return the URL of the page with a lab's code."""
        return reverse("code", args=[number]) if supervisor().find(number) else None

    def claims(self, number: str) -> str:
        """Return the URL of the claims about a lab, or about all labs if `number` is ""."""
        return reverse("claims") + (f"?lab={number}" if number else "")

    def document(self, name: str) -> str | None:
        """Return the URL of docs/NAME.md."""
        path = supervisor().checkout.root / "docs" / f"{name}.md"
        return reverse("document", args=[name]) if path.is_file() else None

    def lab(self, number: str, path: str) -> str | None:
        """Return the URL of a path in a lab, with the lab's current port."""
        served = supervisor().find(number)
        return f"http://127.0.0.1:{served.port}{path}" if served else None
