"""Becomes another program that ends when its parent does: `python launcher.py PARENT CPU PROGRAM ARGUMENT...`.

QEMU goes on for ever when whoever started it is killed. Linux can kill a process with its parent, but only the process
itself can ask for it, before it becomes QEMU. `CPU` is the only one that it may run on, or `any`.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> None:
    """Ask the kernel for what it can do, and run the program."""
    parent, cpu, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if cpu != "any":
            os.sched_setaffinity(0, {int(cpu)})
    if os.getppid() != int(parent):
        sys.exit("the parent has ended already")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
