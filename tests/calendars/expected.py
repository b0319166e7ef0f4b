"""What a feed must show, straight from the tables: the database's own list."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from scheduler.store import tables
from scheduler.store.database import Database

from .readers import Seen
from .seed import DAY

# In the week of the tests' clock, Monday 25 September 2023 in UTC.
WEEK = datetime(2023, 9, 25, tzinfo=UTC)
MARKS = {
    "vi": {"cancelled": "[HUỶ] ", "moved": "[ĐÃ DỜI] ", "gone": "[ĐÃ CHUYỂN] "},
    "en": {"cancelled": "[CALLED OFF] ", "moved": "[MOVED] ", "gone": "[TAKEN OVER] "},
}
SUBJECT = {"vi": "Tiếng Anh", "en": "English"}
OF_KIND = {
    "teacher": "l.teacher_id = :id",
    "class": "l.class_id = :id",
    "school": "c.school_id = :id",
    "donor_school": "t.donor_school_id = :id",
    "programme": "t.programme_id = :id",
}


@dataclass(frozen=True)
class Shown:
    """The facts of one event: its title without the bell period, its words one after another."""

    start: datetime
    end: datetime
    sequence: int
    changed: datetime
    status: str
    title: str
    link: str | None
    words: frozenset[str]


def facts(event: Seen, expected: "Shown") -> Shown:
    """What an event says of all that `expected` knows."""
    return Shown(
        start=event.start,
        end=event.end,
        sequence=event.sequence,
        changed=event.changed,
        status=event.status,
        title=event.summary[: len(expected.title)],
        link=event.location if event.location == event.url else "two links",
        words=frozenset(x for x in expected.words if x in event.description),
    )


def shown(
    database: Database,
    kind: str,
    owner_id: int,
    language: str = "vi",
    *,
    show_cancelled: bool = False,
    **_other_manners: bool,
) -> dict[str, Shown]:
    """UID to facts of all that a feed of this owner shows."""
    found = {}
    for row in _rows(database, OF_KIND[kind], owner_id):
        cancelled = row.state == "cancelled"
        if row.ends_at <= WEEK - (30 if cancelled else 60) * DAY:
            continue
        if row.starts_at >= WEEK + (7 + 365) * DAY:
            continue
        mark, changed_at, sequence = "", row.changed_at, 2 * row.sequence
        if cancelled:
            mark = MARKS[language]["cancelled"]
        elif row.moved_from and row.changed_at > WEEK - 14 * DAY:
            mark = MARKS[language]["moved"]
        elif row.moved_from:
            sequence += 1  # the mark went
            changed_at = next(
                WEEK - n * 7 * DAY
                for n in range(99)
                if WEEK - (n + 1) * 7 * DAY < row.changed_at + 14 * DAY
            )
        found[row.uid] = Shown(
            row.starts_at, row.ends_at, sequence, changed_at,
            "CANCELLED" if cancelled and not show_cancelled else "CONFIRMED",
            mark + _title(row, language),
            f"https://chungtay.example/j/{row.join_token}",
            _words(row, language),
        )  # fmt: skip
    if kind == "teacher":
        for row in _rows(database, "h.teacher_id = :id", owner_id):
            found.setdefault(
                row.uid,
                Shown(
                    row.old_start, row.old_end,
                    2 * max(row.sequence, row.old_sequence), max(row.changed_at, row.old_changed),
                    "CONFIRMED" if show_cancelled else "CANCELLED",
                    MARKS[language]["gone"] + _title(row, language),
                    None,
                    frozenset(),
                ),
            )  # fmt: skip
    return {f"lesson-{uid}@chungtay.example": seen for uid, seen in found.items()}


def _title(row: sa.Row, language: str) -> str:
    return _clean(f"{SUBJECT[language]} {row.class_name} · {row.school_name}")


def _words(row: sa.Row, language: str) -> frozenset[str]:
    """The words of a description that are stored facts."""
    told = {row.teacher_name, row.class_name, _clean(row.school_name), row.donor_name}
    if row.state == "cancelled":
        told |= {row.cancelled_by, row.cancel_reason, _local(row.changed_at, row.zone, language)}
    elif row.moved_from:
        told.add(_local(row.moved_from, row.zone, language))
    return frozenset(told)


def _clean(words: str) -> str:
    return unicodedata.normalize("NFC", " ".join(words.split()))


def _local(at: datetime, zone: str, language: str) -> str:
    """The hour that the walls of the programme showed."""
    return at.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def _rows(database: Database, condition: str, owner_id: int) -> list[sa.Row]:
    """Lessons with all names, and what a former teacher's calendar keeps."""
    query = sa.text(
        "SELECT l.*, c.name AS class_name, s.name AS school_name, p.name AS teacher_name, "
        "d.name AS donor_name, r.zone, h.starts_at AS old_start, h.ends_at AS old_end, "
        "h.sequence AS old_sequence, h.changed_at AS old_changed "
        "FROM lessons l JOIN classes c ON c.id = l.class_id "
        "JOIN receiving_schools s ON s.id = c.school_id "
        "JOIN teachers t ON t.id = l.teacher_id JOIN persons p ON p.id = t.person_id "
        "JOIN donor_schools d ON d.id = t.donor_school_id "
        "JOIN programmes r ON r.id = t.programme_id "
        f"LEFT JOIN handovers h ON h.lesson_id = l.id WHERE {condition}"
    ).columns(
        **{column.name: column.type for column in tables.lessons.c},
        old_start=tables.handovers.c.starts_at.type,
        old_end=tables.handovers.c.ends_at.type,
        old_changed=tables.handovers.c.changed_at.type,
    )
    with database.reading() as db:
        return list(db.execute(query, {"id": owner_id}))
