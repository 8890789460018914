"""The two Redis of `lab run --redis-pair`, in a child that ends even if the parent is killed.

`python -m labkit.clusters.redis_child` starts them, and has the replica take over when the primary
dies. It writes JSON as `labkit.clusters.galera_child` does; in `urls` it has REDIS_URL.
"""

import contextlib
import sys
from collections.abc import Callable
from typing import IO

from labkit.clusters.redis_failover import Member, RedisPair
from labkit.processes.child import ReportingChild, run_child, send_report
from labkit.processes.start import StartFailed
from labkit.services.redis import PrivateRedis


class RedisFailoverChild(ReportingChild):
    """A primary and its replica during a with block. Raises NotInstalled, StartFailed."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell` gets a sentence whenever one of them starts or dies."""
        PrivateRedis.check_installed()
        super().__init__([sys.executable, "-m", "labkit.clusters.redis_child"], tell)

    @property
    def url(self) -> str:
        """REDIS_URL for whichever is the primary."""
        return self.urls["REDIS_URL"]


def main() -> None:
    """See the module's docstring."""
    run_child(RedisPair.temporary, _begin, _look_after, 0.1)


def _begin(parent: IO[bytes], pair: RedisPair) -> None:
    send_report(parent, urls={"REDIS_URL": pair.url})
    _say_runs(parent, pair.primary, "the primary")
    _say_runs(parent, pair.replica, "its replica")


def _look_after(parent: IO[bytes], pair: RedisPair) -> None:
    from redis import RedisError  # an extra, which RedisFailoverChild has asked for

    with contextlib.suppress(StartFailed, RedisError):  # tried again at the next turn
        _mend(parent, pair)


def _mend(parent: IO[bytes], pair: RedisPair) -> None:
    if pair.primary.has_died() and pair.replica.has_died():
        send_report(parent, event="Both Redis died, and all that they had is lost.")
        pair.primary.start_as(None)
        _say_runs(parent, pair.primary, "the primary")
    elif pair.primary.has_died():
        pair.fail_over()
        dead, now = pair.replica.number, pair.primary.number
        send_report(parent, event=f"Redis {dead} died. Redis {now} is the primary now.")
    if pair.replica.has_died():
        pair.revive_replica()
        _say_runs(parent, pair.replica, "its replica")


def _say_runs(parent: IO[bytes], member: Member, what: str) -> None:
    name = f"Redis {member.number} runs as {what}"
    send_report(parent, event=f"{name}: process {member.pid}, which ends by: kill -9 {member.pid}")


if __name__ == "__main__":
    main()
