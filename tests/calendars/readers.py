"""Four programs that read calendars and know nothing of ours, each asked the same questions."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ical.calendar_stream
import icalendar
import pytest
import vobject

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Seen:
    """One event as a reader understood it."""

    uid: str
    start: datetime
    end: datetime
    summary: str
    description: str
    location: str | None
    url: str | None
    status: str
    transp: str
    sequence: int
    created: datetime
    changed: datetime
    stamp: datetime


Reader = Callable[[bytes], list[Seen]]


def by_icalendar(body: bytes) -> list[Seen]:
    def text(event: icalendar.Event, name: str) -> str | None:
        return None if name not in event else str(event[name])

    return [
        Seen(
            uid=str(event["uid"]),
            start=event.decoded("dtstart"),
            end=event.decoded("dtend"),
            summary=str(event["summary"]),
            description=str(event["description"]),
            location=text(event, "location"),
            url=text(event, "url"),
            status=str(event["status"]),
            transp=str(event["transp"]),
            sequence=int(event["sequence"]),
            created=event.decoded("created"),
            changed=event.decoded("last-modified"),
            stamp=event.decoded("dtstamp"),
        )
        for event in icalendar.Calendar.from_ical(body).walk("VEVENT")
    ]


def by_ical(body: bytes) -> list[Seen]:
    calendar = ical.calendar_stream.IcsCalendarStream.calendar_from_ics(body.decode())
    return [
        Seen(
            uid=event.uid,
            start=event.dtstart,
            end=event.dtend,
            summary=event.summary,
            description=event.description,
            location=event.location,
            url=event.url and str(event.url),
            status=str(event.status.value),
            transp=str(event.transparency),
            sequence=event.sequence,
            created=event.created,
            changed=event.last_modified,
            stamp=event.dtstamp,
        )
        for event in calendar.events
    ]


def by_vobject(body: bytes) -> list[Seen]:
    def text(event: object, name: str) -> str | None:
        found = getattr(event, name, None)
        return None if found is None else found.value

    def instant(value: object) -> datetime:
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.strptime(str(value), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    return [
        Seen(
            uid=event.uid.value,
            start=instant(event.dtstart.value),
            end=instant(event.dtend.value),
            summary=event.summary.value,
            description=event.description.value,
            location=text(event, "location"),
            url=text(event, "url"),
            status=event.status.value,
            transp=event.transp.value,
            sequence=int(event.sequence.value),
            created=instant(event.created.value),
            changed=instant(event.last_modified.value),
            stamp=instant(event.dtstamp.value),
        )
        for event in getattr(vobject.readOne(body.decode()), "vevent_list", [])
    ]


@dataclass(frozen=True)
class IcalJs:
    """ical.js in the folder where npm put it."""

    folder: Path

    def __call__(self, body: bytes) -> list[Seen]:
        return self.many([body])[0]

    def many(self, bodies: Sequence[bytes]) -> list[list[Seen]]:
        """What it understands of each calendar, in one process."""
        return [[_seen(event) for event in one["events"]] for one in self._read(bodies)]

    def read(self, body: bytes) -> dict[str, Any]:
        """The calendar's own properties, and its events as ical.js gives them."""
        return self._read([body])[0]

    def _read(self, bodies: Sequence[bytes]) -> list[dict[str, Any]]:
        done = subprocess.run(
            ["node", "reader.mjs"],
            cwd=self.folder,
            input=b"".join(bodies),
            capture_output=True,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]


def _seen(event: dict[str, Any]) -> Seen:
    instants = ("start", "end", "created", "changed", "stamp")
    return Seen(**event | {name: datetime.fromisoformat(event[name]) for name in instants})


def install_ical_js(folder: Path) -> IcalJs:
    """Put ical.js into `folder`, as the lock file says; skips where there is no Node.js."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        if os.environ.get("CI"):
            pytest.fail("node and npm are needed to read feeds with ical.js")
        pytest.skip("node and npm are not installed: ical.js does not read the feeds")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", "reader.mjs"):
        shutil.copy(HERE / name, folder)
    subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=True, capture_output=True)
    return IcalJs(folder)
