"""Hands a listening socket to a daemon, as another user: ``handover.py FD USER /PROGRAM ...``.

XRootD listens on every interface, unless it is given its socket as systemd would give it.
"""

from __future__ import annotations

import os
import pwd
import sys


def main(descriptor: int, user: str, command: list[str]) -> None:
    os.dup2(descriptor, 3, inheritable=True)
    if os.getuid() == 0:
        entry = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), HOME="/nonexistent")
    os.execv(command[0], command)  # absolute: nothing of Python may be readable any more


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
