"""A small programme as the first schema (0001) held it: one term under way, in plain SQL.

It must never change: installations of that time had rows like these.  Instants are in UTC, as
SQLite keeps them without a zone.
"""

from datetime import datetime, timedelta

from scheduler.store.database import Database, Session

MONDAY = datetime(2023, 9, 11)  # noqa: DTZ001 - UTC, and written without saying so
WEEKS = 5
# Class, teacher and school of each request, with the weekday and the instant of its lesson.
SERIES = ((1, 1, 1, "00:30"), (2, 2, 2, "01:25"), (3, 3, 3, "02:20"))
PEOPLE = (
    (1, "ha@hanoi.example", "Phạm Thu Hà", "vi"),
    (2, "lan@aimo.example", "Nguyễn Thị Lan", "vi"),
    (3, "ohara@aimo.example", "Kate O'Hara", "en"),
    (4, "duc@ngoclam.example", "Trần Đức", "vi"),
    (5, "bach@ngoclam.example", "Lê Bạch", "vi"),
    (6, "suoigiang@yenbai.example", "Giàng A Páo", "vi"),
    (7, "bancong@yenbai.example", "Vàng Thị Mỷ", "vi"),
    (8, "head@aimo.example", "Hoàng Quang Hiếu", "vi"),
)
STATES = ("sent", "planned", "failed", "expired", "cancelled", "unknown")
KINDS = ("day_before", "hour_before", "soon", "assigned", "moved", "handed_over", "called_off",
         "timetable", "sign_in")  # fmt: skip


def fill(database: Database) -> dict[str, int]:
    """Write the programme; how many rows each table then has."""
    with database.transaction() as db:
        if not database.is_sqlite:
            db.connection().exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
        counts = {name: _insert(db, name, rows) for name, rows in _tables().items()}
        if not database.is_sqlite:
            for name, rows in _tables().items():
                if "id" in rows[0]:
                    sequence = f"pg_get_serial_sequence('{name}', 'id')"
                    counted = f"SELECT setval({sequence}, max(id)) FROM {name}"
                    db.connection().exec_driver_sql(counted)
    return counts


def _insert(db: Session, table: str, rows: list[dict[str, object]]) -> int:
    for row in rows:
        columns = ", ".join(f'"{name}"' for name in row)
        values = ", ".join(_literal(value, db) for value in row.values())
        db.connection().exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES ({values})")
    return len(rows)


def _literal(value: object, db: Session) -> str:
    if isinstance(value, bytes):
        sqlite = db.get_bind().dialect.name == "sqlite"
        return f"X'{value.hex()}'" if sqlite else f"'\\x{value.hex()}'"
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _at(days: int, clock: str = "00:00") -> str:
    hours, minutes = map(int, clock.split(":"))
    at = MONDAY + timedelta(days=days, hours=hours, minutes=minutes)
    return f"{at:%Y-%m-%d %H:%M:%S}.000000"


def _day(days: int) -> str:
    return f"{MONDAY + timedelta(days=days):%Y-%m-%d}"


def _rows(columns: str, *rows: tuple[object, ...]) -> list[dict[str, object]]:
    return [dict(zip(columns.split(), row, strict=True)) for row in rows]


def _tables() -> dict[str, list[dict[str, object]]]:
    """In an order in which each row finds what it refers to."""
    return _places() | _people() | _wishes() | _plans() | _lessons() | _messages() | _calendars()


def _places():
    return {
        "programmes": _rows(
            "id code name zone created_at",
            (1, "ha-noi-yen-bai", "Hà Nội – Yên Bái", "Asia/Ho_Chi_Minh", _at(-30)),
        ),
        "terms": _rows(
            "id programme_id code name first_day last_day gap_minutes",
            (1, 1, "HK1", "Học kỳ I", _day(0), _day(118), 10),
        ),
        "holidays": _rows("term_id day", (1, _day(70)), (1, _day(112))),
        "partnerships": _rows(
            "id programme_id donor_unit receiving_unit lessons_pledged joint_sessions_pledged",
            (1, 1, "Quận Long Biên", "Huyện Văn Chấn", 40, 2),
        ),
        "joint_sessions": _rows(
            "id partnership_id uid join_token title state starts_at ends_at sequence created_at "
            "changed_at",
            (1, 1, "js-1", "join-js-1", "Dạy từ vựng", "held", _at(5, "07:00"), _at(5, "09:00"),
             0, _at(-9), _at(-9)),
            (2, 1, "js-2", "join-js-2", "Sinh hoạt tháng 10", "scheduled", _at(33, "07:00"),
             _at(33, "09:00"), 1, _at(-9), _at(2)),
        ),
        "receiving_schools": _rows(
            "id programme_id code name district level rooms",
            (1, 1, "SG", "PTDTBT THCS Suối Giàng", "Văn Chấn", "lower_secondary", 1),
            (2, 1, "BC", "TH&THCS Bản Công", "Trạm Tấu", "lower_secondary", 2),
        ),
        "closed_days": _rows(
            "id school_id first_day last_day reason", (1, 2, _day(40), _day(41), "Họp phụ huynh")
        ),
        "periods": _rows(
            "id school_id half_day number start_minute end_minute",
            *((4 * school + n, school, "morning", n, 395 + 55 * n, 440 + 55 * n)
              for school in (1, 2) for n in (1, 2, 3, 4)),
        ),
        "classes": _rows(
            "id school_id name level pupils meeting_url",
            (1, 1, "6A", "lower_secondary", 31, None),
            (2, 1, "7A", "lower_secondary", 28, "https://meet.example/7a"),
            (3, 2, "8C", "lower_secondary", 0, None),
        ),
        "donor_schools": _rows(
            "id programme_id name district",
            (1, 1, "THCS Ái Mộ", "Long Biên"), (2, 1, "THCS Ngọc Lâm", "Long Biên"),
        ),
    }  # fmt: skip


def _people():
    return {
        "persons": _rows(
            "id email name phone language active reminders created_at",
            *((n, mail, name, "0912 345 67" + str(n), language, n != 5, n != 4, _at(-20))
              for n, mail, name, language in PEOPLE),
        ),
        "teachers": _rows(
            "id programme_id person_id donor_school_id",
            (1, 1, 2, 1), (2, 1, 3, 1), (3, 1, 4, 2), (4, 1, 5, 2),
        ),
        "grants": _rows(
            "id person_id role programme_id teacher_id school_id donor_school_id",
            (1, 1, "coordinator", 1, None, None, None),
            *((1 + n, 1 + n, "teacher", 1, n, None, None) for n in (1, 2, 3, 4)),
            (6, 6, "school", 1, None, 1, None),
            (7, 7, "school", 1, None, 2, None),
            (8, 8, "donor_head", 1, None, None, 1),
        ),
        "sessions": _rows(
            "id person_id token_hash csrf created_at seen_at expires_at ended_at",
            (1, 1, "a" * 64, "b" * 43, _at(10), _at(20), _at(40), None),
            (2, 2, "c" * 64, "d" * 43, _at(10), _at(11), _at(12), _at(12)),
        ),
        "sign_ins": _rows(
            "id person_id token_hash browser_hash code_hash tries_left created_at expires_at "
            "used_at",
            (1, 1, "e" * 64, "f" * 64, "0" * 64, 5, _at(10), _at(10, "00:10"), _at(10, "00:01")),
            (2, 3, "1" * 64, "2" * 64, "3" * 64, 0, _at(9), _at(9, "00:10"), None),
        ),
        "audits": _rows(
            "id at person_id action subject subject_id reason before after",
            (1, _at(-19), None, "import", "programme", 1, "danh-sach.xlsx", "null",
             '{"teachers": [{"email": "lan@aimo.example"}]}'),
            (2, _at(-2), 1, "publish", "plan", 2, "", "null", '{"taught": 15}'),
            (3, _at(9), 2, "report_lesson", "lesson", 1, "Mất điện nửa giờ", "null", "null"),
        ),
    }  # fmt: skip


def _wishes():
    return {
        "pledges": _rows(
            "id teacher_id term_id max_per_day max_per_week max_total",
            *((n, n, 1, 2, 3, 12) for n in (1, 2, 3, 4)),
        ),
        "pledge_levels": _rows(
            "pledge_id level", *((n, "lower_secondary") for n in (1, 2, 3, 4))
        ),
        "school_wishes": _rows("pledge_id school_id", (1, 1), (3, 2)),
        "availability": _rows(
            "id pledge_id weekday start_minute end_minute first_day last_day if_needed",
            *((5 * n + weekday, n, weekday, 420, 690, None, None, weekday == 4)
              for n in (1, 2, 3, 4) for weekday in range(5)),
            (99, 4, 5, 420, 690, _day(0), _day(30), True),
        ),
        "absences": _rows(
            "id pledge_id first_day last_day reason", (1, 3, _day(45), _day(52), "Đi tập huấn")
        ),
        "busy_times": _rows(
            "id teacher_id starts_at ends_at", (1, 4, _at(22, "02:00"), _at(22, "03:00"))
        ),
        "requests": _rows(
            "id class_id term_id number lessons_per_week first_day last_day priority created_at "
            "created_by withdrawn_at",
            *((n, n, 1, 1, 1, _day(0), _day(117), n, _at(-15), 6 if n < 3 else 7, None)
              for n in (1, 2, 3)),
            (4, 1, 1, 2, 2, _day(60), _day(117), 3, _at(-14), None, _at(-10)),
        ),
        "request_slots": _rows(
            "id request_id weekday start_minute end_minute rank",
            *((3 * n + rank, n, weekday, 450 + 55 * (n - 1), 495 + 55 * (n - 1), rank)
              for n in (1, 2, 3) for rank, weekday in enumerate((n, 4))),
        ),
    }  # fmt: skip


def _plans():
    columns = (
        "id term_id state created_at created_by cost lower_bound requested taught seconds seed "
        "input_hash published_at"
    )
    return {
        "plans": _rows(
            columns,
            (1, 1, "superseded", _at(-5), 1, 120.5, 100.0, 51, 40, 10.0, 1, "4" * 64, _at(-4)),
            (2, 1, "published", _at(-3), 1, 98.25, 97.0, 51, 50, 10.0, 2, "5" * 64, _at(-2)),
            (3, 1, "draft", _at(15), None, 97.0, 97.0, 51, 51, 2.5, 3, "6" * 64, None),
        ),
        "plan_lessons": _rows(
            "plan_id request_id day start_minute end_minute teacher_id",
            *((plan, n, _day(7 * week + n), 450 + 55 * (n - 1), 495 + 55 * (n - 1), n)
              for plan in (2, 3) for week in range(WEEKS) for n in (1, 2, 3)),
        ),
        "plan_gaps": _rows(
            "plan_id request_id week missing reasons",
            (2, 3, _day(98), 1, '{"availability": 3, "limits": 1}'),
        ),
        "runs": _rows(
            "id term_id state asked_by asked_at seconds_limit seed elapsed cost taught requested "
            "plan_id error cancel_asked attempts",
            (1, 1, "done", 1, _at(-3), 10.0, 2, 10.0, 98.25, 50, 51, 2, None, False, 1),
            (2, 1, "failed", 1, _at(14), 10.0, 2, 0.5, None, None, None, None,
             '{"msgid": "There is no term yet.", "values": {}}', False, 3),
        ),
        "publications": _rows(
            "id term_id plan_id fingerprint published_at published_by previous_id",
            (1, 1, 1, "7" * 64, _at(-4), 1, None), (2, 1, 2, "8" * 64, _at(-2), 1, 1),
        ),
    }  # fmt: skip


def _lessons():
    lessons = [
        _lesson(3 * week + n, week, n, klass, teacher, clock)
        for week in range(WEEKS)
        for n, (klass, teacher, _, clock) in enumerate(SERIES, 1)
    ]
    lessons[0] |= {"state": "held", "changed_at": _at(2)}
    lessons[1] |= {"state": "not_held", "changed_at": _at(3)}
    lessons[2] |= {"state": "cancelled", "cancel_reason": "Mưa lũ", "cancelled_by": "Vàng Thị Mỷ",
                   "sequence": 1, "changed_at": _at(1)}  # fmt: skip
    lessons[9] |= {"state": "cover", "sequence": 1, "changed_at": _at(19)}
    lessons[10] |= {"moved_from": _at(24, "01:25"), "starts_at": _at(25, "01:25"),
                    "ends_at": _at(25, "02:10"), "sequence": 2, "changed_at": _at(18)}  # fmt: skip
    lessons[12] |= {"pinned": True, "meeting_url": "https://meet.example/13"}
    return {
        "lessons": lessons,
        "reports": _rows(
            "id lesson_id side held cause note reported_by reported_at",
            (1, 1, "teacher", True, "", "Các em rất vui", 2, _at(1, "03:00")),
            (2, 1, "school", True, "", "", 6, _at(1, "04:00")),
            (3, 2, "school", False, "power", "Mất điện", 6, _at(2, "04:00")),
        ),
        "handovers": _rows(
            "lesson_id teacher_id starts_at ends_at sequence changed_at",
            (11, 4, _at(24, "01:25"), _at(24, "02:10"), 1, _at(17)),
        ),
        "offers": _rows(
            "id lesson_id teacher_id wave asked_at deadline answered_at accepted",
            (1, 10, 2, 1, _at(19), _at(21), _at(20), False),
            (2, 10, 3, 1, _at(19), _at(21), None, None),
        ),
    }


def _lesson(number, week, weekday, klass, teacher, clock):
    hours, minutes = map(int, clock.split(":"))
    ends = f"{hours + (minutes + 45) // 60:02}:{(minutes + 45) % 60:02}"
    day = 7 * week + weekday
    return {
        "id": number, "uid": f"first-{number}", "join_token": f"join-first-{number}", "term_id": 1,
        "request_id": klass, "class_id": klass, "teacher_id": teacher, "state": "scheduled",
        "starts_at": _at(day, clock), "ends_at": _at(day, ends), "sequence": 0,
        "created_at": _at(-2), "changed_at": _at(-2), "moved_from": None, "pinned": False,
        "meeting_url": None, "cancel_reason": "", "cancelled_by": "",
    }  # fmt: skip


def _messages():
    """Each kind in each state, of lessons gone by and ahead."""
    rows = []
    for kind in KINDS:
        for state in STATES:
            number = len(rows) + 1
            lesson = None if kind in ("timetable", "sign_in") else 1 + number % 15
            due = _at(23 if state == "planned" else 10, "01:00")
            rows.append({
                "id": number, "key": f"{kind}:{number}:2:mail", "kind": kind, "channel": "mail",
                "person_id": 2 + number % 3, "lesson_id": lesson,
                "lesson_sequence": None if lesson is None else 0, "payload": "{}", "due_at": due,
                "useless_after": _at(30), "state": state, "attempts": int(state != "planned"),
                "next_try_at": due, "phase": "waiting", "message_id": f"<{number}@first.example>",
                "sent_at": _at(10, "01:01") if state == "sent" else None,
                "last_error": "550 no such mailbox" if state == "failed" else "",
                "created_at": _at(-2),
            })  # fmt: skip
    return {"outbox": rows}


def _calendars():
    owners = (("teacher", 1), ("teacher", 2), ("class", 1), ("school", 1), ("programme", 1))
    body = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    return {
        "feeds": _rows(
            "id kind owner_id language show_cancelled etag changed_at dirty rendered_week",
            *((n, kind, owner, "vi", kind == "teacher", "9" * 64 if n < 4 else None,
               _at(18) if n < 4 else None, n > 3, "2023-W39" if n < 4 else None)
              for n, (kind, owner) in enumerate(owners, 1)),
        ),
        "feed_bodies": _rows("feed_id body", *((n, body) for n in (1, 2, 3))),
        "feed_links": _rows(
            "id feed_id person_id name token_hash created_at revoked_at last_read_at reads client",
            (1, 1, 2, "Điện thoại", "ab" * 32, _at(0), None, _at(20), 31, "Google"),
            (2, 2, 3, "Outlook", "cd" * 32, _at(0), _at(5), _at(4), 7, "Outlook"),
            (3, 4, 6, "", "ef" * 32, _at(1), None, None, 0, ""),
        ),
    }  # fmt: skip
