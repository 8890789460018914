"""The command `lab record`, which turns a visit to a running lab into a test or script."""

import http.client
from urllib.parse import urlencode, urlsplit

import click

from labkit.catalog import Lab, catalog, state_dir
from labkit.services.running_labs import running_labs

SECONDS = 30  # in seconds, the longest wait for the lab's response
RECORD_PATH = "/__lab__/visit/record.txt"
FORMATS = ["pytest", "curl", "httpie"]
NOT_RUNNING = "Lab {number} is not running at {url}. Start it with: lab run {number}"
NO_VISIT = (
    "The panel of lab {number} has no such request. It keeps only the last requests, until the "
    "lab is reset or restarted."
)
NO_PANEL = "The server at {url} did not send the visit. Is it lab {number}, and is its panel on?"


@click.command()
@click.argument("name", metavar="LAB")
@click.option(
    "--format",
    "chosen",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="pytest: a test for the lab's tests folder. curl, httpie: a shell script.",
)
@click.option("--visitor", default="", help="The visitor, such as A or B2. Default: all visitors.")
@click.option(
    "--from", "first", type=click.IntRange(1), help="The number of the first exchange to include."
)
@click.option(
    "--to", "last", type=click.IntRange(1), help="The number of the last exchange to include."
)
@click.option("--port", type=click.IntRange(1, 65535), help="The port, if the lab runs on several.")
def record(
    name: str, chosen: str, visitor: str, first: int | None, last: int | None, port: int | None
) -> None:
    """Turn a visit to a running lab into a test, for example: lab record 04 > test_visit.py

    The test repeats the visit and checks what the panel observed: the status, the cookies that were
    set and deleted, what happened to the session, and what the store contained. The panel's page
    "Copy as test" shows the numbers of the exchanges.

    The output has no session keys, CSRF tokens or passwords. Comments say what is left out.
    """
    lab = catalog().find(name)
    query = {"format": chosen, "visitor": visitor, "from": first or "", "to": last or ""}
    status = 0
    for url in _urls(lab, port):
        status, text = _get(url, f"{RECORD_PATH}?{urlencode(query)}")
        if status == 200:
            click.echo(text, nl=False)
            return
        if status:
            break
    texts = {"number": lab.number, "url": url}
    message = NO_VISIT if status == 404 and text == "" else NO_PANEL
    raise click.ClickException((message if status else NOT_RUNNING).format(**texts))


def _urls(lab: Lab, port: int | None) -> list[str]:
    """Return the URLs at which the lab may be running; the last is its usual port."""
    if port:
        return [f"http://127.0.0.1:{port}"]
    found = [each.url for each in running_labs(state_dir(lab.folder))]
    return list(dict.fromkeys([*found, f"http://127.0.0.1:{lab.port}"]))


def _get(url: str, path: str) -> tuple[int, str]:
    """Return the status and text of a page, or (0, "") if no server responds."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()
