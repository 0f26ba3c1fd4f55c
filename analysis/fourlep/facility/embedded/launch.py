"""Start a daemon as a well-behaved child: ``python launch.py [OPTIONS] -- /PROGRAM ...``.

The child ends with its parent, may run as another user, and may be handed a listening
socket as systemd would (``LISTEN_FDS``), which is how XRootD is kept from listening on every
interface. Only the standard library is used: the other user may be unable to read more.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pwd
import signal
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
#: Where the protocol says that the first socket is.
_FIRST_SOCKET = 3


def main(arguments: Sequence[str] | None = None) -> None:
    """Become the program that ``arguments`` name."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, default=-1)
    parser.add_argument("--user", default="")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    if options.socket >= 0:
        hand_over(options.socket)
    if options.user:
        become(options.user)
    end_with(options.parent)
    os.execv(options.command[0], options.command)  # noqa: S606  # no shell is wanted


def hand_over(descriptor: int) -> None:
    """Offer the listening socket ``descriptor`` to the program."""
    os.dup2(descriptor, _FIRST_SOCKET)
    os.set_inheritable(_FIRST_SOCKET, True)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))


def become(user: str) -> None:
    """Give root's rights up for those of ``user``."""
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def end_with(parent: int) -> None:
    """Ask the kernel for SIGTERM when the process ``parent`` dies; it may have by now."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit("the supervisor is gone")


if __name__ == "__main__":
    main()
