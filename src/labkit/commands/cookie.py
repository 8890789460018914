"""The command `lab cookie`, which explains a Set-Cookie header."""

import json

import click
from rich.table import Table
from rich.text import Text

from labkit.commands.options import console
from labkit.cookie_report import CookieReport, Refusal, describe_cause, explain_cookie
from labkit.http.origin import Context, Origin

NO_COOKIE = (
    "This is not a Set-Cookie header. Specify its value, for example: cart=3; Path=/; HttpOnly"
)
DELETES = (
    "Deleted, because the header lets it expire at once: {deletion}, if the browser has it. "
    "Cookies with another Domain or Path stay."
)
STORED = "Stored."
REFUSED = "Refused: {reason}."
ALSO_REFUSED = "Then also: {reason}."
REPAIRED = "The browser would store: {set_cookie}"
REPAIRED_AT = "The browser would store this from {url}: {set_cookie}"
WARNING = "Probably not intended: {warning}"
SENT = "Sent: {pair}"
NOTHING_SENT = "No cookie is sent."
NOT_SENT = "Not sent: {reason}."
REPAIR = "To repair it: {repair}"
LONGEST_SHOWN = 200  # characters; longer cookies are truncated


class UrlType(click.ParamType):
    """An absolute http or https URL, converted to an Origin."""

    name = "URL"

    def convert(
        self, value: str | Origin, param: click.Parameter | None, ctx: click.Context | None
    ) -> Origin:
        if isinstance(value, Origin):
            return value
        try:
            return Origin.of(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


@click.command()
@click.argument("set_cookie", metavar="SET-COOKIE")
@click.option(
    "--at",
    "source",
    type=UrlType(),
    default="https://shop.example/",
    show_default=True,
    help="The URL whose response contains the header.",
)
@click.option(
    "--before",
    type=(UrlType(), str),
    multiple=True,
    metavar="URL SET-COOKIE",
    help="An earlier Set-Cookie header, and the URL whose response contained it. May be repeated. "
    "Default: the browser has no cookies.",
)
@click.option(
    "--then",
    "targets",
    type=UrlType(),
    multiple=True,
    help="The URL of a later request. May be repeated. Default: the URL of --at.",
)
@click.option(
    "--from",
    "initiator",
    type=UrlType(),
    help="The URL of the page that makes the later requests. Default: none, as if the URLs were "
    "typed in.",
)
@click.option(
    "--method",
    type=click.Choice(["GET", "POST"], case_sensitive=False),
    default="GET",
    show_default=True,
    help="The method of the later requests: GET, as for a link, or POST, as for a form.",
)
@click.option(
    "--embedded",
    is_flag=True,
    help="The later requests load an image, a frame or fetch() data in the page that --from names.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def cookie(
    set_cookie: str,
    source: Origin,
    before: tuple[tuple[Origin, str], ...],
    targets: tuple[Origin, ...],
    initiator: Origin | None,
    method: str,
    embedded: bool,
    as_json: bool,
) -> None:
    """Explain what a browser does with SET-COOKIE, the value of a Set-Cookie header.

    The command explains each attribute, and shows whether a browser stores the cookie and sends it
    with later requests. If the cookie is not stored or not sent, the command names the rule and
    suggests a fix.
    Browsers differ in a few details; the output describes Chromium.
    """
    if embedded and initiator is None:
        raise click.UsageError("--embedded also needs --from, with the URL of the page.")
    set_cookie = set_cookie.strip().removeprefix("Set-Cookie:").strip()
    if not set_cookie:
        raise click.UsageError(NO_COOKIE)
    context = Context(method, initiator, top_level=not embedded)
    later = [(each, context) for each in targets or (source,)]
    report = explain_cookie(set_cookie, source, later, before=before)
    if as_json:
        click.echo(json.dumps(_as_json(report), indent=1, ensure_ascii=False))
    else:
        _print(set_cookie, source, report, asks=bool(targets or initiator))


def _print(set_cookie: str, source: Origin, report: CookieReport, *, asks: bool) -> None:
    """Print the report. asks: whether the user asked about later requests."""
    console.print(Text(_short(set_cookie), "b"), Text(f"set by {source}"), sep="\n", soft_wrap=True)
    if report.refusal:
        _print_refusals(source, report)
    else:
        _print_good(DELETES.format(deletion=report.deletion) if report.deletes else STORED)
    for warning in report.warnings:
        text = WARNING.format(warning=warning)
        console.print(Text.assemble(("! ", "yellow"), text), soft_wrap=True)
    if report.cookie and not report.deletes:
        table = Table.grid(padding=(0, 2))
        for attribute in report.attributes:
            table.add_row(Text(f"  {attribute.text}"), Text(attribute.meaning))
        console.print("", table)
    if asks and report.never_sent:
        console.print(f"\n{report.never_sent}", soft_wrap=True)
    for request in report.later:
        cause = describe_cause(request.context)
        console.print(
            Text(f"\n{request.context.method} {request.target} ({cause})"), soft_wrap=True
        )
        if request.refusal:
            _print_refusal(NOT_SENT, request.refusal)
        if request.header:
            _print_good(SENT.format(pair=_short(request.header)))
        elif not request.refusal:
            console.print(NOTHING_SENT)
        if request.note:
            console.print(f"  {request.note}", soft_wrap=True)


def _print_good(text: str) -> None:
    console.print(Text.assemble(("✓ ", "green"), text), soft_wrap=True)


def _print_refusals(source: Origin, report: CookieReport) -> None:
    if report.refusal:
        _print_refusal(REFUSED, report.refusal)
    for refusal in report.further:
        _print_refusal(ALSO_REFUSED, refusal, mark="  ")
    if report.repaired:
        field, url = report.repaired
        sentence = REPAIRED if url == source else REPAIRED_AT
        text = sentence.format(set_cookie=_short(field), url=url)
        console.print(Text(f"  {text}"), soft_wrap=True)


def _print_refusal(sentence: str, refusal: Refusal, mark: str = "✗ ") -> None:
    console.print(
        Text.assemble((mark, "red"), sentence.format(reason=refusal.reason)),
        Text(f"  {refusal.rule.source}: {refusal.rule.url}"),
        Text(f"  {REPAIR.format(repair=refusal.repair)}"),
        sep="\n",
        soft_wrap=True,
    )


def _short(text: str) -> str:
    return text[:LONGEST_SHOWN] + "…" * (len(text) > LONGEST_SHOWN)


def _as_json(report: CookieReport) -> dict[str, object]:
    return {
        "attributes": [each._asdict() for each in report.attributes],
        "stored": report.cookie is not None and not report.deletes,
        "deletes": report.deletes,
        "refusal": _refusal_as_json(report.refusal),
        "further": [_refusal_as_json(each) for each in report.further],
        "repaired": report.repaired
        and {"set_cookie": report.repaired.set_cookie, "url": str(report.repaired.source)},
        "warnings": list(report.warnings),
        "later": [
            {
                "url": str(each.target),
                "method": each.context.method,
                "sent": each.is_sent,
                "cookie_header": each.header,
                "refusal": _refusal_as_json(each.refusal),
                "note": each.note,
            }
            for each in report.later
        ],
    }


def _refusal_as_json(refusal: Refusal | None) -> dict[str, str] | None:
    if refusal is None:
        return None
    rule = refusal.rule
    return {
        "reason": refusal.reason,
        "rule": rule.source,
        "url": rule.url,
        "repair": refusal.repair,
    }
