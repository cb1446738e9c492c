"""A crew: members that run the same tasks at the same time, each on its own share of the data.

    for _ in crew.run(tasks):
        ...  # all members have finished a task

The caller is the first member, `crew.shares` says what each one does, and `share.barrier()` lets
the members wait for each other within a task. To end a run early, close the iterator. After an
error, and after a KeyboardInterrupt, a crew can run again.
"""

import os
import sys

from digitnet.network.processes import Processes
from digitnet.network.threads import Threads

Crew = Threads | Processes


def make_crew(size: int, *, processes: bool) -> Crew:
    """Return a crew of `size` members, which gives the same bits whatever its members are.

    processes: True for processes, if the system has what they need; False for threads.
    """
    if processes and size > 1 and may_fork():
        try:
            return Processes(size)
        except OSError:  # such as without /dev/shm
            pass
    return Threads(size)


def may_fork() -> bool:
    """Return whether this process can be forked safely: one thread, no MPI, Linux."""
    if sys.platform != "linux" or "mpi4py.MPI" in sys.modules:
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False
