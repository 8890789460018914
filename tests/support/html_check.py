"""Check the HTML of every page with the checker vnu: `python tests/support/html_check.py`.

The script runs `lab serve` in a copy of the checkout, opens every page that can be reached by
links, adds the pages of `lab diff --html` and `lab compare --html`, and checks all of them in one
process. The checker, https://github.com/validator/validator, is downloaded from npm once to
.lab/vnu. With --fetch, the script only downloads it, and prints any error.
"""

import asyncio
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import lxml.html
from serving import copy_of, serving

from labkit.catalog import Catalog
from labkit.compare import html_page as compare_page
from labkit.compare.table_runner import TableResult
from labkit.comparison_tables import Tables
from labkit.diff import compare, find_sides
from labkit.diff import html_page as diff_page
from labkit.http.client import BrowserClient
from labkit.services.requirements import program

VERSION = "26.9.27"
ROOT = Path(__file__).resolve().parents[2]
JAR = ROOT / ".lab" / "vnu" / VERSION / "package" / "build" / "dist" / "vnu.jar"
LIMIT = 600  # in seconds, both for the download and for the check
MOST = 60  # the maximum number of pages of one lab, including its panel
ALIKE = re.compile(r"\?.*|(?<=/question/)\w+|(?<=/exchange/)\w+")  # in URLs of one template
SAME_TEMPLATE = 3  # of pages whose URLs differ only in this part, check at most this many
FIRST = {  # the forms to send before following links, so that pages have content
    3: ("/add/", {"name": "red apple", "quantity": "3"}),
    4: ("/add/", {"name": "red apple", "quantity": "3"}),
    5: ("/key_in_url/name/", {"name": "Anu"}),
    7: ("/greet/", {"name": "Anu", "remember": "session"}),
    8: ("/student/set/", {"name": "Anu", "email": "anu@shop.example"}),
    10: ("/add/", {"name": "red apple", "quantity": "3"}),
    11: ("/login/", {"username": "ada", "password": "lovelace"}),
    12: ("/naive/race/", {"tabs": "2", "delay": "0", "adds": "50", "which_items": "same"}),
}
VARIANTS = [("05:cookie", "05:key_in_url"), ("10:db", "10:file"), ("12:naive", "12:locked")]
PAIRS = [("02", "06"), ("03", "04"), ("11:careful", "11:careless"), *VARIANTS]
INVALID = "<!doctype html><title>It is noticed</title><p><table><b></p>"


def fetch() -> str:
    """Download the checker if it is missing. Return the error, or "" if there is none."""
    if JAR.is_file():
        return ""
    folder = JAR.parents[3]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        command = [program("npm") or "npm", "pack", "--silent", f"vnu-jar@{VERSION}"]
        try:
            done = subprocess.run(
                command, cwd=name, capture_output=True, text=True, check=False, timeout=LIMIT
            )
        except subprocess.TimeoutExpired:
            return f"npm did not download vnu-jar within {LIMIT} seconds."
        archives = list(Path(name).glob("*.tgz"))
        if done.returncode or not archives:
            return f"npm cannot download vnu-jar {VERSION}: {done.stderr}"
        with tarfile.open(archives[0]) as archive:
            archive.extractall(name, filter="data")
        (Path(name) / "package").rename(folder / "package")
    return ""


async def crawl(port: int, starts: list[str], first: tuple | None, most: int) -> dict[str, str]:
    """Follow all links on this server, and return its HTML pages as {path: page}."""
    browser = BrowserClient(port)
    ahead, pages, kinds = list(starts), {}, Counter()
    if first:
        path, fields = first
        for page_with_form in ("/", path):
            await browser.get(page_with_form)
        response = await browser.post(path, fields)
        if response.status not in {200, 302}:
            raise RuntimeError(f"{path} answered {response.status} to {fields}.")
        if response.status == 200:
            pages[f"POST {path}"] = response.body
    while ahead and len(pages) < most:
        path = ahead.pop(0)
        kind = ALIKE.sub("", path)
        kinds[kind] += 1
        if path in pages or kinds[kind] > (SAME_TEMPLATE if kind != path else 1):
            continue
        response = await browser.get(path)
        if response.status in {301, 302, 303}:
            ahead.append(urljoin(path, response.headers["Location"]))
            continue
        if not response.headers.get_content_type().endswith("/html"):
            continue
        pages[path] = response.body
        here = f"http://127.0.0.1:{port}"
        for link in lxml.html.document_fromstring(response.body).xpath("//a/@href"):
            address = urlsplit(urljoin(here + path, link))
            wanted = address.path + (f"?{address.query}" if address.query else "")
            if address.netloc == f"127.0.0.1:{port}" and wanted not in (*pages, *ahead):
                ahead.append(wanted)
    return pages


def collect(folder: Path) -> dict[str, str]:
    """Return {name: page} of all pages."""
    catalog = Catalog(copy_of(Catalog(ROOT), folder))
    pages = {}
    with serving(folder) as served:
        starts = ["/console/", "/nowhere/", *(f"/console/diff/{a}/{b}/" for a, b in PAIRS)]
        found = asyncio.run(crawl(served.port, starts, None, 1000))
        pages |= {f"console {path}": page for path, page in found.items()}
        for lab in catalog.labs:
            number = int(lab.number)
            starts = ["/", "/nowhere/", "/__lab__/", "/__lab__/visit/", "/__lab__/visit/record/"]
            found = asyncio.run(crawl(served.port + number, starts, FIRST.get(number), MOST))
            pages |= {f"lab {lab.number} {path}": page for path, page in found.items()}
    for pair in PAIRS[:2]:
        page = diff_page.html(compare(catalog, *find_sides(catalog, *pair)))
        pages[f"lab diff {' '.join(pair)} --html"] = page
    tables, now = Tables(catalog), datetime.now(UTC).isoformat()
    for table in tables.all:
        result = TableResult(table.id, now, "3", "5", (), ())
        pages[f"lab compare {table.id} --html"] = compare_page.html(tables, table, result)
    return pages


def check(pages: dict[str, str]) -> dict[str, list[str]]:
    """Return {name: errors} of the invalid pages."""
    with tempfile.TemporaryDirectory() as name:
        files = {f"{number}.html": page for number, page in enumerate(pages)}
        for file, page in files.items():
            (Path(name) / file).write_text(pages[page], encoding="utf-8")
        command = [program("java") or "java", "-Xss8m", "-jar", str(JAR), "--errors-only"]
        done = subprocess.run(
            [*command, "--format", "json", "--exit-zero-always", name],
            capture_output=True,
            text=True,
            check=True,
            timeout=LIMIT,
        )
    found: dict[str, list[str]] = {}
    for message in json.loads(done.stderr)["messages"]:
        page = files[Path(urlsplit(message["url"]).path).name]
        place = f"line {message.get('lastLine', '?')}: {message['message']}"
        found.setdefault(page, []).append(f"{place}\n      {message.get('extract', '')!r}")
    return found


def main() -> int:
    """Print the errors; return the exit status, 1 if there are any."""
    if reason := fetch():
        print(reason)
        return 1
    if "--fetch" in sys.argv:
        return 0
    with tempfile.TemporaryDirectory() as name:
        pages = collect(Path(name))
    wrong = check(pages | {INVALID: INVALID})
    if not wrong.pop(INVALID, None):
        print("The checker did not notice a page that is not valid.")
        return 1
    for page, errors in wrong.items():
        print(page, *dict.fromkeys(errors), sep="\n    ")
    print(f"{len(pages)} pages checked, {len(wrong)} of them not valid.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
