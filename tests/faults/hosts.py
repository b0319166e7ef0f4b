"""Hosts as network namespaces on one bridge: their lines can be cut without a word to either end.

A cut line is one that leads nowhere: what is sent on it is lost, and nobody is told, as when a
switch between two machines dies.
"""

import ctypes
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from uuid import uuid4

NET = "10.77.9"
_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


class Network:
    """Namespaces by the names of their hosts; `address` of each, and whether its line is cut."""

    def __init__(self, *names: str) -> None:
        self.mark = uuid4().hex[:6]
        self.names = names
        self.bridge = f"ct{self.mark}"
        self.cut_off: set[str] = set()

    def address(self, name: str) -> str:
        return f"{NET}.{self.names.index(name) + 1}"

    def space(self, name: str) -> str:
        return f"ct{self.mark}-{name}"

    def _port(self, name: str) -> str:
        return f"ct{self.mark}{name}"

    def make(self) -> None:
        _ip("link", "add", self.bridge, "type", "bridge", "forward_delay", "0")
        _ip("link", "set", self.bridge, "up")
        for name in self.names:
            space, port = self.space(name), self._port(name)
            _ip("netns", "add", space)
            _ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space)
            _ip("-n", space, "link", "set", "lo", "up")
            _ip("-n", space, "address", "add", f"{self.address(name)}/24", "dev", "eth0")
            _ip("-n", space, "link", "set", "eth0", "up")
            _ip("link", "set", port, "up")
            self.mend(name)

    def unmake(self) -> None:
        for name in self.names:
            with suppress(subprocess.CalledProcessError):
                _ip("link", "delete", self._port(name))  # both its ends
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", self.space(name))
        with suppress(subprocess.CalledProcessError):
            _ip("link", "delete", self.bridge)

    def cut(self, name: str) -> None:
        """From now on nothing comes to that host or from it; its carrier stays up."""
        _ip("link", "set", self._port(name), "nomaster")
        self.cut_off.add(name)

    def mend(self, name: str) -> None:
        _ip("link", "set", self._port(name), "master", self.bridge)
        self.cut_off.discard(name)

    def on(self, name: str, *command: str) -> list[str]:
        """The command line that runs it on that host."""
        return ["ip", "netns", "exec", self.space(name), *command]

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Sockets that this thread makes in the block are that host's, for as long as they live."""
        with (
            Path("/proc/thread-self/ns/net").open() as ours,
            Path(f"/run/netns/{self.space(name)}").open() as theirs,
        ):
            _enter(theirs.fileno())
            try:
                yield
            finally:
                _enter(ours.fileno())

    def place(self, name: str) -> Callable[[], AbstractContextManager[None]]:
        """As `inside`, to be called by whoever makes sockets later."""
        return partial(self.inside, name)


@contextmanager
def network(*names: str) -> Iterator[Network]:
    made = Network(*names)
    try:
        made.make()
        yield made
    finally:
        made.unmake()


@cache
def why_not() -> str:
    """What keeps us from making such hosts here; empty where nothing does."""
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    missing = [program for program in ("ip", "setpriv") if shutil.which(program) is None]
    if missing:
        return f"no {missing[0]} on this machine"
    try:
        with network("a", "b"):
            return ""
    except subprocess.CalledProcessError as error:
        return f"no network namespaces here: {error.stderr.strip()}"


def _ip(*told: str) -> None:
    subprocess.run(["ip", *told], check=True, capture_output=True, text=True)


def _enter(handle: int) -> None:
    if _LIBC.setns(handle, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def as_user(user: str, command: Sequence[str]) -> list[str]:
    """The command line that runs it as somebody without rights."""
    who = pwd.getpwnam(user)
    return [
        "setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups", *command,
    ]  # fmt: skip
