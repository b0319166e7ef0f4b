"""How soon `chungtay serve` answers after it was started: `python -m bench.starting`.

On the wall's clock, from the start of the process to the last byte of its first page, an installed
database behind it; the floor is a process that only imports FastAPI and SQLAlchemy.  Each in turn.
"""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

import httpx2

from bench.load import ROOT
from bench.rows import Row, alone, at_most, peer

ROUNDS = 7
PATIENCE = 60.0
FLOOR = "import fastapi, sqlalchemy"


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        environment = os.environ | {
            "CHUNGTAY_VAR_DIR": name,
            "CHUNGTAY_DATABASE_URL": "",
            "CHUNGTAY_SECRET_KEY": secrets.token_hex(32),
        }
        answer(environment)  # migrates the new database, and warms the disk up
        found, floors, used = [], [], []
        for _ in range(ROUNDS):
            floors.append(_floor())
            seconds, spent = answer(environment)
            found.append(seconds)
            used.append(spent)
    what = f"start of chungtay serve to first answer (CPU {median(used):.1f} s)"
    row = at_most(what, median(found), 2, "s", key="answer", digits=2)
    yield replace(row, beside=peer(FLOOR, f"{median(floors):.2f} s"))


def answer(environment: dict[str, str]) -> tuple[float, float]:
    """Seconds until a page was there, and those of CPU that it took."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "scheduler", "serve", "--port", str(port)]
    settings = environment | {"CHUNGTAY_BASE_URL": f"http://127.0.0.1:{port}"}
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=settings, stderr=subprocess.DEVNULL)
    try:
        _first_page(f"http://127.0.0.1:{port}/sign-in", began + PATIENCE)
        seconds = time.perf_counter() - began
        # The CPU clock of another process, by its number: see clock_getcpuclockid(3).
        return seconds, time.clock_gettime((~process.pid << 3) | 2)
    finally:
        process.terminate()
        process.wait(30)


def _first_page(url: str, until: float) -> None:
    while True:
        try:
            httpx2.get(url).raise_for_status()
            return
        except httpx2.ConnectError:
            if time.perf_counter() > until:
                raise
            time.sleep(0.01)


def _floor() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", FLOOR], check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows))
