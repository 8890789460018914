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
DELETES = "Deleted: the browser deletes its cookie with this name, Domain and Path."
STORED = "Stored."
REFUSED = "Refused: {reason}."
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
        _print(set_cookie, source, report)


def _print(set_cookie: str, source: Origin, report: CookieReport) -> None:
    shown = set_cookie[:LONGEST_SHOWN] + "…" * (len(set_cookie) > LONGEST_SHOWN)
    console.print(Text(shown, "b"), Text(f"set by {_url(source)}"), sep="\n", soft_wrap=True)
    if report.refusal:
        _print_refusal(REFUSED, report.refusal)
    else:
        _print_good(DELETES if report.deletes else STORED)
    table = Table.grid(padding=(0, 2))
    for attribute in report.attributes:
        table.add_row(f"  {attribute.text}", attribute.meaning)
    console.print("", table)
    for request in report.later:
        cause = describe_cause(request.context)
        console.print(Text(f"\n{request.context.method} {_url(request.target)} ({cause})"))
        if request.refusal:
            _print_refusal(NOT_SENT, request.refusal)
        if request.header:
            _print_good(SENT.format(pair=request.header[:LONGEST_SHOWN]))
        elif not request.refusal:
            console.print(NOTHING_SENT)
        if request.note:
            console.print(f"  {request.note}", soft_wrap=True)


def _print_good(text: str) -> None:
    console.print(Text.assemble(("✓ ", "green"), text), soft_wrap=True)


def _print_refusal(sentence: str, refusal: Refusal) -> None:
    console.print(
        Text.assemble(("✗ ", "red"), sentence.format(reason=refusal.reason)),
        Text(f"  {refusal.rule.source}: {refusal.rule.url}"),
        Text(f"  {REPAIR.format(repair=refusal.rule.repair)}"),
        sep="\n",
        soft_wrap=True,
    )


def _url(origin: Origin) -> str:
    return f"{origin.scheme}://{origin.url_host}{origin.path}"


def _as_json(report: CookieReport) -> dict[str, object]:
    return {
        "attributes": [each._asdict() for each in report.attributes],
        "stored": report.cookie is not None and not report.deletes,
        "deletes": report.deletes,
        "refusal": _refusal_as_json(report.refusal),
        "later": [
            {
                "url": _url(each.target),
                "method": each.context.method,
                "sent": each.is_sent,
                "cookie_header": each.header,
                "refusal": _refusal_as_json(each.refusal),
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
        "repair": rule.repair,
    }
