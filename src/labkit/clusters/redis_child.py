"""The Redis servers of `lab run --redis-pair`, in a child process that ends with its parent.

`python -m labkit.clusters.redis_child` starts both servers, promotes the replica when the primary
dies, and ends even if its parent is killed. The child reports as described in
`labkit.processes.child`: first REDIS_URL, then an event at each change.
"""

import contextlib
from collections.abc import Callable
from typing import IO

from labkit.clusters.redis_failover import Member, RedisPair
from labkit.processes.child import ChildProcess, report_process, run_child, send_report
from labkit.processes.start import StartFailed
from labkit.services.redis import PrivateRedis

# Messages that `lab run` prints, and that tests look for.
RUNS_AS = "Redis server {number} runs as {role}"
PRIMARY, REPLICA = "the primary", "its replica"
PRIMARY_DIED = "Redis server {dead} died. Server {now} is now the primary."


class RedisFailoverChild(ChildProcess):
    """A primary and its replica, which run during a with block; `urls` has one URL, REDIS_URL.

    Raises NotInstalled, StartFailed.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        """`report` is called with a sentence whenever a server starts or dies."""
        PrivateRedis.check_installed()
        super().__init__("labkit.clusters.redis_child", report=report)


def main() -> None:
    """Run the child."""
    run_child(RedisPair.temporary, _first_report, _check, 0.1)


def _first_report(parent: IO[bytes], pair: RedisPair) -> None:
    send_report(parent, urls={"REDIS_URL": pair.url})
    _report_running(parent, pair.primary, PRIMARY)
    _report_running(parent, pair.replica, REPLICA)


def _check(parent: IO[bytes], pair: RedisPair) -> None:
    from redis import RedisError  # optional, but checked by RedisFailoverChild

    with contextlib.suppress(StartFailed, RedisError):  # if this fails, the next check tries again
        _repair(parent, pair)


def _repair(parent: IO[bytes], pair: RedisPair) -> None:
    if pair.primary.has_died() and pair.replica.has_died():
        send_report(parent, event="Both Redis servers died, and all of their data are lost.")
        pair.primary.start_as(None)
        _report_running(parent, pair.primary, PRIMARY)
    elif pair.primary.has_died():
        pair.fail_over()
        dead, now = pair.replica.number, pair.primary.number
        send_report(parent, event=PRIMARY_DIED.format(dead=dead, now=now))
    if pair.replica.has_died():
        pair.revive_replica()
        _report_running(parent, pair.replica, REPLICA)


def _report_running(parent: IO[bytes], member: Member, role: str) -> None:
    report_process(parent, RUNS_AS.format(number=member.number, role=role), member.pid)


if __name__ == "__main__":
    main()
