"""The cluster of `lab run --db galera`, in a child that ends even if the parent is killed.

`python -m labkit.clusters.galera_child NAME...` starts it and makes the databases. It writes one
line of JSON, {"urls": {name: DATABASE_URL}} or {"error": sentence}, and from then on one for each
thing that happens to a node: {"event": sentence}.
"""

import sys
from collections.abc import Callable, Iterable
from typing import IO

from labkit.clusters.galera import NODES, Cluster, Node
from labkit.processes.child import ReportingChild, run_child, send_report
from labkit.processes.start import StartFailed


class GaleraChild(ReportingChild):
    """A cluster for as long as the with block lasts; `urls` names its databases.

    Raises NotInstalled, StartFailed.
    """

    def __init__(self, names: Iterable[str], tell: Callable[[str], None]) -> None:
        """`tell` gets a sentence whenever a node starts or dies."""
        Cluster.check_installed()
        super().__init__([sys.executable, "-m", "labkit.clusters.galera_child", *names], tell)


def main(names: list[str]) -> None:
    """See the module's docstring."""

    def begin(parent: IO[bytes], cluster: Cluster) -> None:
        send_report(parent, urls={name: cluster.url(name) for name in names})
        for node in cluster.nodes:
            _say_runs(parent, node)

    run_child(Cluster.temporary, begin, _look_after, 0.2)


def _look_after(parent: IO[bytes], cluster: Cluster) -> None:
    for node in cluster.dead():
        _revive(parent, node)


def _revive(parent: IO[bytes], node: Node) -> None:
    send_report(parent, event=f"Node {node.number} died and is started again.")
    try:
        node.join()
    except StartFailed:
        return  # tried again at the next turn, and said so
    _say_runs(parent, node)


def _say_runs(parent: IO[bytes], node: Node) -> None:
    name = f"Node {node.number} of {NODES}"
    send_report(parent, event=f"{name} runs: process {node.pid}, which ends by: kill -9 {node.pid}")


if __name__ == "__main__":
    main(sys.argv[1:])
