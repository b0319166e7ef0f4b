"""A process of its own for what strangers wrote: both ends of the line to it.

It has little time, little memory and none of our secrets, and it can be ended.  What it answers
is plain JSON of limited length: should a file take that process over, it still says only values.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any

import scheduler

_HOUSE = str(Path(scheduler.__file__).parent.parent)
# No other setting of ours: the child shall not know the house's secrets.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONTZPATH", "SYSTEMROOT")
# openpyxl then reads every part through defusedxml, with or without lxml on the machine, and numpy,
# which it looks for, takes no room for threads.
_SET = {"PYTHONPATH": _HOUSE, "OPENPYXL_LXML": "False", "OPENBLAS_NUM_THREADS": "1"}


class Lost(Exception):
    """No answer came: the child fell, took too long, or said more than it may."""


def asked(
    module: str, order: Mapping[str, object], body: bytes, *, seconds: float, most: int
) -> dict[str, Any]:
    """What a module of ours answers to an order and a body, in at most so many bytes.

    Its other words, should it fall, may quote the file and are dropped.  Raises Lost.
    """
    env = {name: os.environ[name] for name in _KEPT if name in os.environ} | _SET
    with subprocess.Popen(
        (sys.executable, "-P", "-m", module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env,
    ) as child:
        end = Timer(seconds, child.kill)
        end.start()
        try:
            said = _said(child, json.dumps(order).encode() + b"\n" + body, most)
        finally:
            end.cancel()
    if child.returncode or len(said) > most:
        raise Lost
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError):
        raise Lost from None
    if not isinstance(answer, dict):
        raise Lost
    return answer


def _said(child: "subprocess.Popen[bytes]", order: bytes, most: int) -> bytes:
    """One byte more than it may say, when it says more; the child has ended."""
    if child.stdin is None or child.stdout is None:
        raise Lost
    with suppress(BrokenPipeError), child.stdin as line:
        line.write(order)
    said = child.stdout.read(most + 1)
    if len(said) > most:
        child.kill()
    child.wait()
    return said


def confine(cpu_seconds: int, memory: int) -> None:
    """In the child: the most it may use, memory in bytes of addresses, so what is used is less.

    Nothing is written to disk either: a core dump would hold what people wrote.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    with suppress(ValueError):  # macOS knows the limit and does not take one
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def given() -> tuple[dict[str, Any], bytes]:
    """In the child: the order and the body."""
    return json.loads(sys.stdin.buffer.readline()), sys.stdin.buffer.read()


def answer(values: Mapping[str, object]) -> None:
    """In the child: say it, and it is said."""
    sys.stdout.buffer.write(json.dumps(values, ensure_ascii=False).encode())
