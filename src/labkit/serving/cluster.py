"""The cluster of `lab run --db galera`, in a child that ends even if the parent is killed.

`python -m labkit.serving.cluster NAME...` starts it and makes the databases. It writes one line of
JSON, {"urls": {name: DATABASE_URL}} or {"error": sentence}, and from then on one for each thing
that happens to a node: {"said": sentence}.
"""

import sys
import threading
from collections.abc import Callable, Iterable
from typing import IO

from labkit.galera import NODES, Cluster, Node
from labkit.private import Ended, Failed, Missing
from labkit.serving.database import Heard, answer
from labkit.serving.lifeline import reserve_stdout, when_cut


class HeldCluster(Heard):
    """A cluster for as long as the with block lasts; `urls` names its databases.

    Raises Missing, Failed.
    """

    def __init__(self, names: Iterable[str], tell: Callable[[str], None]) -> None:
        """`tell` gets a sentence whenever a node starts or dies."""
        Cluster.need()
        super().__init__([sys.executable, "-m", "labkit.serving.cluster", *names], tell)


def main(names: list[str]) -> None:
    """See the module's docstring."""
    parent = reserve_stdout()
    ending = threading.Event()
    when_cut(ending.set)
    try:
        cluster = Cluster.temporary(ending)
    except (Missing, Failed) as error:
        answer(parent, error=str(error))
        return
    except Ended:
        return
    try:
        answer(parent, urls={name: cluster.url(name) for name in names})
        for node in cluster.nodes:
            _say_runs(parent, node)
        while not ending.wait(0.2):
            for node in cluster.dead():
                _revive(parent, node)
    except Ended:
        pass
    finally:
        cluster.stop()


def _revive(parent: IO[bytes], node: Node) -> None:
    answer(parent, said=f"Node {node.number} died and is started again.")
    try:
        node.join()
    except Failed:
        return  # tried again at the next turn, and said so
    _say_runs(parent, node)


def _say_runs(parent: IO[bytes], node: Node) -> None:
    name = f"Node {node.number} of {NODES}"
    answer(parent, said=f"{name} runs: process {node.pid}, which ends by: kill -9 {node.pid}")


if __name__ == "__main__":
    main(sys.argv[1:])
