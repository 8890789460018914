"""`lab serve`: all labs at once for a class, each in a separate process, and the console.

`supervisor` starts the processes and restarts those that die, `worker` and `database_connections`
run in them. `temporary_server` starts one lab for a measurement, `network` finds this machine's
address for the class.

A child process ends with its parent, even if the parent is killed: it holds one end of a pipe, and
ends when the other end is closed.
"""
