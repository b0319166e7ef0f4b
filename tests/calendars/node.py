"""ical.js and node-ical, put into a folder by npm and asked there."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from .readers import Seen, span

HERE = Path(__file__).parent
OLDEST = 20  # node-ical has regular expressions that an older Node.js does not know


@dataclass(frozen=True)
class Node:
    """One of the packages, in the folder where npm put it."""

    folder: Path
    package: str

    def __call__(self, body: bytes) -> list[Seen]:
        return self.many([body])[0]

    def many(self, bodies: Sequence[bytes]) -> list[list[Seen]]:
        """What it understands of each calendar, in one process."""
        return [[_seen(event) for event in one["events"]] for one in self._read(bodies)]

    def read(self, body: bytes) -> dict[str, Any]:
        """The calendar's own properties, and its events as the package gives them."""
        return self._read([body])[0]

    def _read(self, bodies: Sequence[bytes]) -> list[dict[str, Any]]:
        done = subprocess.run(
            ["node", "reader.mjs", self.package],
            cwd=self.folder,
            input=b"".join(bodies),
            capture_output=True,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]


def _seen(event: dict[str, Any]) -> Seen:
    instants = ("start", "end", "created", "changed", "stamp")
    moments = {name: datetime.fromisoformat(event[name]) for name in instants}
    return Seen(**event | moments | {"alarms": tuple(map(span, event["alarms"]))})


def install(folder: Path) -> Path:
    """Put both into `folder`, as the lock file says; skips where Node.js is missing or old."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        absent("Node.js and npm are not installed: ical.js and node-ical")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.lstrip("v").split(".")[0]) < OLDEST:
        absent(f"Node.js is older than {OLDEST}: ical.js and node-ical")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", "reader.mjs"):
        shutil.copy(HERE / name, folder)
    subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=True, capture_output=True)
    return folder


def absent(what: str) -> None:
    """A reader that is not here: a fault where everything is checked, else a test left out."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} must read the feeds here")
    pytest.skip(f"{what} cannot read the feeds")
