#!/usr/bin/env python3
"""A service manager for one program, which speaks to it as systemd does (sd_notify(3), sd_listen_fds(3)).

supervisor.py [--watchdog MS] COMMAND...
    keeps what the program gives with FDSTORE=1 and hands it to the next one; ends when the program ends by itself
    SIGHUP   restarts it: SIGTERM, and once it has ended, COMMAND anew (a symbolic link may lead elsewhere by then)
    SIGUSR1  the same after SIGKILL
    SIGTERM  stops it as the unit does: SIGINT, SIGTERM; then all that was kept is closed
    --watchdog MS  wants WATCHDOG=1 as often; without it, SIGABRT and a start anew
What the program says, and what is kept, goes to stdout, a line each.  Its pid is in the last "started PID".
"""
import os
import select
import signal
import socket
import sys
import tempfile
import time

FIRST_FD = 3


class Supervisor:
    def __init__(self, command, watchdog_ms):
        self.command = command
        self.watchdog_ms = watchdog_ms
        self.alive = time.monotonic()
        self.folder = tempfile.mkdtemp(prefix="weft-supervisor.")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.path = os.path.join(self.folder, "notify")
        self.socket.bind(self.path)
        self.store = []  # (name, descriptor)
        self.pid = 0

    def start(self):
        self.alive = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            self.become()
        print(f"started {self.pid} with {len(self.store)} descriptors", flush=True)

    def become(self):
        environment = dict(os.environ, NOTIFY_SOCKET=self.path)
        if self.watchdog_ms:
            environment |= {"WATCHDOG_PID": str(os.getpid()), "WATCHDOG_USEC": str(self.watchdog_ms * 1000)}
        if self.store:
            copies = [os.dup(fd) for _name, fd in self.store]
            high = [os.dup2(fd, 1000 + i) for i, fd in enumerate(copies)]
            for i, fd in enumerate(high):
                os.dup2(fd, FIRST_FD + i, inheritable=True)
            environment |= {
                "LISTEN_PID": str(os.getpid()),
                "LISTEN_FDS": str(len(self.store)),
                "LISTEN_FDNAMES": ":".join(name for name, _fd in self.store),
            }
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.execve(self.command[0], self.command, environment)

    def forget(self, name):
        for kept, fd in [entry for entry in self.store if entry[0] == name]:
            os.close(fd)
            self.store.remove((kept, fd))

    def hear(self):
        data, fds, _flags, _from = socket.recv_fds(self.socket, 4096, 64)
        words = dict(line.split("=", 1) for line in data.decode().splitlines())
        if "FDSTORE" in words:
            self.store += [(words.get("FDNAME", "stored"), fd) for fd in fds]
            fds = []
        if "FDSTOREREMOVE" in words:
            self.forget(words["FDNAME"])
        if "WATCHDOG" in words:
            self.alive = time.monotonic()
        for fd in fds:  # a barrier's
            os.close(fd)
        print("said " + " ".join(f"{key}={value}" for key, value in words.items()), flush=True)

    def has_ended(self):
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def ended(self):
        """Waits until the program has ended, and hears it meanwhile."""
        while True:
            if select.select([self.socket], [], [], 0.001)[0]:
                self.hear()
                continue
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                print(f"ended {code}", flush=True)
                return code

    def restarted(self):
        self.ended()
        signal.sigtimedwait({signal.SIGCHLD}, 0)
        self.start()

    def run(self):
        wake = {signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGCHLD}
        signal.pthread_sigmask(signal.SIG_BLOCK, wake)
        self.start()
        while True:
            if select.select([self.socket], [], [], 0.02)[0]:
                self.hear()
                continue
            what = signal.sigtimedwait(wake, 0)
            if not what and self.watchdog_ms and time.monotonic() - self.alive > self.watchdog_ms / 1000:
                print("hangs", flush=True)
                os.kill(self.pid, signal.SIGABRT)
                os.kill(self.pid, signal.SIGCONT)
                self.restarted()
            if not what:
                continue
            if what.si_signo in (signal.SIGHUP, signal.SIGUSR1):
                os.kill(self.pid, signal.SIGTERM if what.si_signo == signal.SIGHUP else signal.SIGKILL)
                self.restarted()
                continue
            if what.si_signo == signal.SIGCHLD and not self.has_ended():
                continue  # only stopped, or continued
            if what.si_signo == signal.SIGTERM:
                os.kill(self.pid, signal.SIGINT)
                os.kill(self.pid, signal.SIGTERM)
            return self.ended()


if __name__ == "__main__":
    wants_signs = sys.argv[1] == "--watchdog"
    supervisor = Supervisor(sys.argv[3:] if wants_signs else sys.argv[1:], int(sys.argv[2]) if wants_signs else 0)
    code = supervisor.run()
    os.unlink(supervisor.path)
    os.rmdir(supervisor.folder)
    sys.exit(code if code >= 0 else 128 - code)
