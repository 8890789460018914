"""The targets of a Markdown file's links in the console."""

from django.urls import reverse

from labkit.console import supervisor


class ConsoleLinks:
    """URLs of the console's pages, for labkit.render.handout: of the labs that are served."""

    def handout(self, number: str) -> str | None:
        """Return the URL of a lab's handout."""
        return reverse("handout", args=[number]) if supervisor().find(number) else None

    def code(self, number: str) -> str | None:
        """Return the URL of the page with a lab's code."""
        return reverse("code", args=[number]) if supervisor().find(number) else None

    def claims(self, number: str) -> str:
        """Return the URL of the claims about a lab; about all labs for ""."""
        return reverse("claims") + (f"?lab={number}" if number else "")

    def document(self, name: str) -> str | None:
        """Return the URL of docs/NAME.md."""
        path = supervisor().checkout.root / "docs" / f"{name}.md"
        return reverse("document", args=[name]) if path.is_file() else None

    def lab(self, number: str, path: str) -> str | None:
        """Return the URL of a path in a lab, at the port that it now has."""
        served = supervisor().find(number)
        return f"http://127.0.0.1:{served.port}{path}" if served else None
