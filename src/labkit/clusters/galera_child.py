"""The cluster for `lab run --db galera`, in a child process that ends even if its parent is killed.

`python -m labkit.clusters.galera_child NAME...` starts the cluster and creates the databases. The
child reports as described in `labkit.processes.child`: first each DATABASE_URL, then an event
whenever a node starts or dies.
"""

import sys
from collections.abc import Callable, Iterable
from typing import IO

from labkit.clusters.galera import NODES, Cluster, Node
from labkit.processes.child import ChildProcess, report_process, run_child, send_report
from labkit.processes.start import StartFailed

NODE_DIED = "Node {number} died and is being restarted."


class GaleraChild(ChildProcess):
    """A cluster that runs during a with block; `urls` has a DATABASE_URL for each database.

    Raises NotInstalled, StartFailed.
    """

    def __init__(self, names: Iterable[str], report: Callable[[str], None]) -> None:
        """`report` is called with a sentence whenever a node starts or dies."""
        Cluster.check_installed()
        super().__init__("labkit.clusters.galera_child", *names, report=report)


def main(names: list[str]) -> None:
    """Run the child."""

    def first_report(parent: IO[bytes], cluster: Cluster) -> None:
        send_report(parent, urls={name: cluster.url(name) for name in names})
        for node in cluster.nodes:
            _report_running(parent, node)

    run_child(Cluster.temporary, first_report, _check, 0.2)


def _check(parent: IO[bytes], cluster: Cluster) -> None:
    for node in cluster.dead():
        send_report(parent, event=NODE_DIED.format(number=node.number))
        try:
            node.join()
        except StartFailed:
            continue  # if this fails, the next check tries again
        _report_running(parent, node)


def _report_running(parent: IO[bytes], node: Node) -> None:
    report_process(parent, f"Node {node.number} of {NODES} runs", node.pid)


if __name__ == "__main__":
    main(sys.argv[1:])
