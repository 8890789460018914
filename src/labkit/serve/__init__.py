"""All labs at once for a class: each lab in a process of its own, and the console beside them.

`command` is `lab serve`, `supervisor` starts the processes and looks after them, `worker` and
`database` are what runs in them. For `lab run --servers` there are `several` servers of one lab and
the `front` that they share; `cluster` and `pair` are what they may keep sessions in.

Whatever a parent starts ends with it, even when it is killed: each child holds one end of a pipe
and goes when the other end is closed.
"""
