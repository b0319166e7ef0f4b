"""The schema: what the database itself refuses, and that tables and migration agree."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from alembic import command
from scheduler.errors import Conflict
from scheduler.store import audits, migrations, tables
from scheduler.store.database import Database, Session

T0 = datetime(2023, 10, 2, 1, 0, tzinfo=UTC)


def _insert(db: Session, table: sa.Table, **values: object) -> int:
    return int(db.execute(table.insert().values(**values)).inserted_primary_key[0])


@pytest.fixture
def cast(database: Database) -> dict[str, int]:
    """Two teachers and two classes, each with a request, of one programme."""
    with database.transaction() as db:
        p = _insert(
            db, tables.programmes, code="P", name="P", zone="Asia/Ho_Chi_Minh", created_at=T0
        )
        term = _insert(
            db,
            tables.terms,
            programme_id=p,
            code="T",
            name="T",
            first_day=date(2023, 9, 11),
            last_day=date(2024, 1, 7),
            gap_minutes=10,
        )
        donor = _insert(db, tables.donor_schools, programme_id=p, name="D", district="Q")
        school = _insert(
            db, tables.receiving_schools, programme_id=p, code="S", name="S", district="H",
            level="primary", rooms=1,
        )  # fmt: skip
        found = {"programme": p, "term": term, "school": school}
        for n in (1, 2):
            person = _insert(
                db, tables.persons, email=f"t{n}@x.example", name=f"T{n}", phone="", language="vi",
                active=True, reminders=True, created_at=T0,
            )  # fmt: skip
            found[f"teacher{n}"] = _insert(
                db, tables.teachers, programme_id=p, person_id=person, donor_school_id=donor
            )
            found[f"class{n}"] = _insert(
                db, tables.classes, school_id=school, name=f"{n}A", level="primary", pupils=30
            )
            found[f"request{n}"] = _insert(
                db, tables.requests, class_id=found[f"class{n}"], term_id=term, number=1,
                lessons_per_week=1, first_day=date(2023, 9, 11), last_day=date(2023, 12, 1),
                priority=1, created_at=T0,
            )  # fmt: skip
    return found


def _book(database, cast, n: int, teacher: int, at: datetime, state: str = "scheduled") -> int:
    name = f"{teacher}{n}{at:%H%M}{state}"
    with database.transaction() as db:
        return _insert(
            db, tables.lessons, uid=name, join_token=name,
            term_id=cast["term"], request_id=cast[f"request{n}"], class_id=cast[f"class{n}"],
            teacher_id=cast[f"teacher{teacher}"], state=state, starts_at=at,
            ends_at=at + timedelta(minutes=45), sequence=0, created_at=T0, changed_at=T0,
            cancel_reason="", cancelled_by="",
        )  # fmt: skip


@pytest.mark.fault(21)
def test_database_refuses_a_teacher_in_two_lessons_at_once(database, cast):
    _book(database, cast, 1, 1, T0)
    with pytest.raises(Conflict):
        _book(database, cast, 2, 1, T0 + timedelta(minutes=44))
    _book(database, cast, 2, 1, T0 + timedelta(minutes=45))


def test_database_refuses_a_class_in_two_lessons_at_once(database, cast):
    _book(database, cast, 1, 1, T0)
    with pytest.raises(Conflict):
        _book(database, cast, 1, 2, T0 - timedelta(minutes=44))
    _book(database, cast, 1, 2, T0 - timedelta(minutes=45))


def test_a_cancelled_lesson_takes_nobodys_time_until_it_is_restored(database, cast):
    cancelled = _book(database, cast, 1, 1, T0, "cancelled")
    _book(database, cast, 2, 1, T0)
    with pytest.raises(Conflict), database.transaction() as db:
        db.execute(
            tables.lessons.update()
            .where(tables.lessons.c.id == cancelled)
            .values(state="scheduled")
        )


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("persons", {"email": "Upper@x.example"}),
        ("persons", {"email": "t1@x.example"}),
        ("receiving_schools", {"rooms": 0}),
        ("terms", {"last_day": date(2023, 9, 10)}),
        ("requests", {"lessons_per_week": 0}),
        ("classes", {"level": "kindergarten"}),
    ],
)
def test_database_refuses_an_illegal_row(database, cast, table, values):
    row = tables.metadata.tables[table]
    with database.reading() as db:
        good = dict(db.execute(sa.select(row).order_by(row.c.id.desc())).mappings().first())
    with pytest.raises(sa.exc.IntegrityError), database.transaction() as db:
        db.execute(row.update().where(row.c.id == good["id"]).values(**values))


def test_a_reader_cannot_write(database, cast):
    with pytest.raises(sa.exc.DBAPIError), database.reading() as db:
        db.execute(tables.persons.update().values(name="x"))


def test_instants_come_back_aware_and_in_utc(database, cast):
    lesson = _book(database, cast, 1, 1, T0)
    with database.reading() as db:
        at = db.scalar(sa.select(tables.lessons.c.starts_at).where(tables.lessons.c.id == lesson))
    assert at == T0
    assert at.tzinfo is UTC


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based")
def test_tables_and_migration_agree(database):
    migrations._run(database, command.check)


def test_what_is_there_survives_the_newer_columns_and_their_end(database):
    """Rows of 0001 stay through every later migration and back."""
    migrations.downgrade(database, "0001")
    with database.transaction() as db:
        db.execute(
            sa.text(
                "INSERT INTO programmes (code, name, zone, created_at) "
                "VALUES ('P', 'P', 'UTC', '2023-09-01')"
            )
        )
        octets = "BLOB" if database.is_sqlite else "BYTEA"
        for statement in _FEED_OF_0001:
            db.execute(sa.text(statement.format(bytes=octets)))
    migrations.upgrade(database)
    with database.reading() as db:
        rows = db.execute(sa.select(tables.programmes.c.code, tables.programmes.c.weights)).all()
        of_feed = sa.select(tables.feeds.c.id, tables.feeds.c.zoned, tables.feed_bodies.c.body)
        feeds = db.execute(of_feed.join(tables.feed_bodies)).all()
    assert [tuple(row) for row in rows] == [("P", None)]
    assert [tuple(row) for row in feeds] == [(1, False, b"x")]
    _insert_feed(database, zoned=True)
    with pytest.raises(sa.exc.IntegrityError):
        _insert_feed(database, zoned=True)
    migrations.downgrade(database, "0001")
    with database.reading() as db:
        assert db.scalar(sa.text("SELECT count(*) FROM programmes")) == 1
        assert db.scalar(sa.text("SELECT count(*) FROM feeds")) == 1
        assert db.scalar(sa.text("SELECT count(*) FROM feed_links")) == 1


_FEED_OF_0001 = (
    "INSERT INTO feeds (kind, owner_id, language, show_cancelled, dirty) "
    "VALUES ('class', 1, 'vi', false, true)",
    "INSERT INTO feed_bodies (feed_id, body) VALUES (1, CAST('x' AS {bytes}))",
    "INSERT INTO persons (email, name, phone, language, active, reminders, created_at) "
    "VALUES ('a@x.example', 'A', '', 'vi', true, true, '2023-09-01')",
    "INSERT INTO feed_links (feed_id, person_id, name, token_hash, created_at, reads, client) "
    "VALUES (1, 1, 'A', 'x', '2023-09-01', 0, '')",
)


def _insert_feed(database: Database, *, zoned: bool) -> None:
    with database.transaction() as db:
        key = {"kind": "class", "owner_id": 1, "language": "vi", "show_cancelled": False}
        feed = _insert(db, tables.feeds, **key, zoned=zoned, alarms=False, dirty=True)
        db.execute(tables.feed_bodies.insert().values(feed_id=feed, body=b""))


def test_a_table_made_anew_keeps_its_foreign_keys(database):
    migrations.downgrade(database, "0004")
    migrations.upgrade(database)
    with pytest.raises(sa.exc.IntegrityError), database.transaction() as db:
        db.execute(tables.feed_bodies.insert().values(feed_id=99, body=b""))


def test_busy_times_entered_by_hand_survive_the_calendars_and_their_end(database, cast):
    times = ((T0, False), (T0 + timedelta(hours=1), True))
    with database.transaction() as db:
        for start, from_calendar in times:
            _insert(
                db, tables.busy_times, teacher_id=cast["teacher1"], starts_at=start,
                ends_at=start + timedelta(minutes=9), soft=from_calendar,
                from_calendar=from_calendar,
            )  # fmt: skip
    migrations.downgrade(database, "0005")
    migrations.upgrade(database)
    columns = (tables.busy_times.c[name] for name in ("starts_at", "soft", "from_calendar"))
    with database.reading() as db:
        assert [tuple(row) for row in db.execute(sa.select(*columns))] == [(T0, False, False)]
    with pytest.raises(sa.exc.IntegrityError), database.transaction() as db:  # the check stayed
        db.execute(tables.busy_times.update().values(ends_at=T0))


def test_migration_goes_both_ways(database):
    migrations.downgrade(database, "base")
    assert migrations.current(database) == ""
    migrations.upgrade(database)
    assert migrations.current(database) == migrations.head()


@pytest.mark.parametrize("change", ["UPDATE audits SET action = 'x'", "DELETE FROM audits"])
def test_the_record_is_only_ever_added_to(database, change):
    with database.transaction() as db:
        audits.record(db, T0, None, "import", "term")
    with pytest.raises(sa.exc.DBAPIError, match="only ever added to"), database.transaction() as db:
        db.execute(sa.text(change))
    with database.reading() as db:
        assert [line.action for line in db.execute(tables.audits.select())] == ["import"]
