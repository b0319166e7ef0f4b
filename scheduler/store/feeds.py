"""Calendar feeds: whose they are, which are out of date, and their stored bodies.

A feed is rendered in three steps: claimed in one transaction, rendered outside any, stored in
another.  The claim stands in `rendered_week` where the week will stand, so a feed whose renderer
died is claimed again, and of two renderers the later one has the last word.
"""

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, func, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.calendars import FeedKey, FeedKind, Owner
from scheduler.domain.people import DonorSchool
from scheduler.domain.vitals import Backlog
from scheduler.store import switches
from scheduler.store.tables import (
    classes,
    donor_schools,
    feed_bodies,
    feeds,
    persons,
    programmes,
    receiving_schools,
    teachers,
)

_CLAIM_MARK = "~"  # no week begins with it
_GATE = 0x46656564  # the name of an advisory lock
_Owners = dict[tuple[FeedKind, int], Owner]


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to render one feed, until somebody else claims it."""

    feed_id: int
    key: FeedKey
    token: str


@dataclass(frozen=True, slots=True)
class Body:
    """A rendered feed: gzipped, and the hash of the plain bytes."""

    etag: str
    packed: bytes


def ensure(db: Session, key: FeedKey) -> int:
    """The id of this feed, made now if it is new; a new one is waiting to be rendered."""
    ensure_all(db, [key])
    return int(
        db.execute(
            select(feeds.c.id).where(
                *(feeds.c[name] == value for name, value in asdict(key).items())
            )
        ).scalar_one()
    )


def ensure_all(db: Session, keys: Sequence[FeedKey]) -> None:
    """Make those of the feeds that are missing; one statement."""
    if not keys:
        return
    _gate(db, shared=False)
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    rows = [{**asdict(key), "dirty": True} for key in keys]
    db.execute(dialect.insert(feeds).on_conflict_do_nothing(), rows)


def mark_dirty(
    db: Session,
    *,
    programme_id: int,
    teacher_ids: Collection[int],
    class_ids: Collection[int],
    school_ids: Collection[int] = (),
) -> None:
    """Have every feed that shows these teachers', classes' or schools' lessons rendered anew.

    Call it in the transaction that changes the lessons.  For a lesson that changed hands give both
    teachers.  A constant number of statements.
    """
    taught_from = select(teachers.c.donor_school_id).where(teachers.c.id.in_(list(teacher_ids)))
    taught_at = select(classes.c.school_id).where(classes.c.id.in_(list(class_ids)))
    _mark(
        db,
        or_(
            _is(FeedKind.TEACHER, feeds.c.owner_id.in_(list(teacher_ids))),
            _is(FeedKind.CLASS, feeds.c.owner_id.in_(list(class_ids))),
            _is(FeedKind.SCHOOL, feeds.c.owner_id.in_(taught_at)),
            _is(FeedKind.SCHOOL, feeds.c.owner_id.in_(list(school_ids))),
            _is(FeedKind.DONOR_SCHOOL, feeds.c.owner_id.in_(taught_from)),
            _is(FeedKind.PROGRAMME, feeds.c.owner_id == programme_id),
        ),
    )


def mark_all_dirty(db: Session) -> None:
    """Have every feed rendered anew: after a restore, or when what all of them say changes."""
    _mark(db, true())


def _is(kind: FeedKind, owner: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(feeds.c.kind == kind, owner)


def _mark(db: Session, which: ColumnElement[bool]) -> None:
    _gate(db, shared=True)
    # Locked in order of id, so that two writers who mark the same feeds cannot wait for each other.
    ids = db.scalars(select(feeds.c.id).where(which).order_by(feeds.c.id).with_for_update()).all()
    if ids:
        db.execute(update(feeds).where(feeds.c.id.in_(ids)).values(dirty=True))


def _gate(db: Session, *, shared: bool) -> None:
    """Writers who mark pass together; whoever makes a feed passes alone, until the end of each.

    Else a feed could be made and rendered between a writer's mark and its commit, and miss it.
    SQLite has one writer at a time.
    """
    if db.get_bind().dialect.name != "sqlite":
        lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
        db.execute(select(lock(_GATE)))


def any_stale(db: Session, week: date) -> bool:
    """True when some feed is out of date, or its window belongs to another week."""
    return db.execute(select(feeds.c.id).where(_stale(week)).limit(1)).first() is not None


def claim(db: Session, week: date, limit: int) -> tuple[Claim, ...]:
    """Take up to `limit` feeds that are out of date; the ones nobody is rendering come first."""
    query = select(feeds).where(_stale(week)).order_by(feeds.c.dirty.desc(), feeds.c.id)
    claims = _claim(db, query.limit(limit).with_for_update(skip_locked=True))
    if claims:
        _note_waiting(db, week)
    return claims


def claim_one(db: Session, feed_id: int) -> tuple[Claim, ...]:
    """Take this feed, whether out of date or not."""
    return _claim(db, select(feeds).where(feeds.c.id == feed_id).with_for_update())


def backlog(db: Session, week: date) -> Backlog:
    """What is out of date now, and how long one of them has been so since a claim saw it first."""
    count = db.scalar(select(func.count()).select_from(feeds).where(_stale(week))) or 0
    age = switches.age(db, switches.FEED_WAITS) if count else None
    return Backlog(count, max(0.0, age.total_seconds()) if age else 0.0)


def _note_waiting(db: Session, week: date) -> None:
    """Keep in mind one feed that is out of date, the last to have its turn, until it is rendered:
    when nobody manages to, that shows how long."""
    stale = select(feeds.c.id).where(_stale(week))
    noted = switches.value(db, switches.FEED_WAITS)
    if noted is not None and db.scalar(stale.where(feeds.c.id == int(noted))) is not None:
        return
    last = db.scalar(stale.order_by(feeds.c.dirty.desc(), feeds.c.id.desc()).limit(1))
    if last is not None:
        switches.turn_on(db, switches.FEED_WAITS, str(last))


def _stale(week: date) -> ColumnElement[bool]:
    # Two ranges and not "is another": an index finds few among very many.
    row, own = feeds.c.rendered_week, week.isoformat()
    return or_(feeds.c.dirty.is_(True), row.is_(None), row < own, row > own)


def _claim(db: Session, query: Select[Any]) -> tuple[Claim, ...]:
    rows = db.execute(query).all()
    token = _CLAIM_MARK + secrets.token_urlsafe(6)
    if rows:
        db.execute(
            update(feeds)
            .where(feeds.c.id.in_([row.id for row in rows]))
            .values(dirty=False, rendered_week=token)
        )
    return tuple(Claim(row.id, key_of(row), token) for row in rows)


def save(db: Session, bodies: Mapping[Claim, Body], week: date, now: datetime) -> int:
    """Store what was rendered and count the bodies that are new.

    A feed marked dirty since its claim stays dirty.  One that a later claim has finished already is
    left as it is: ours is older.  While a later claim is still at work ours is stored meanwhile.
    The time of change is a whole second, moves only with the hash, and strictly grows.
    """
    claims = {claim.feed_id: claim for claim in bodies}
    query = select(feeds).where(feeds.c.id.in_(list(claims))).order_by(feeds.c.id)
    done: list[dict[str, object]] = []
    changed: list[dict[str, object]] = []
    packed: list[dict[str, object]] = []
    for row in db.execute(query.with_for_update()).all():
        claim = claims[row.id]
        if not (row.rendered_week or "").startswith(_CLAIM_MARK):
            continue
        if row.rendered_week == claim.token:
            done.append({"feed": row.id, "week": week.isoformat()})
        body = bodies[claim]
        if body.etag != row.etag:
            at = _later(row.changed_at, now)
            changed.append({"feed": row.id, "new_etag": body.etag, "at": at})
            packed.append({"feed_id": row.id, "body": body.packed})
    _store(db, done, changed, packed)
    return len(changed)


def _store(
    db: Session,
    done: list[dict[str, object]],
    changed: list[dict[str, object]],
    packed: list[dict[str, object]],
) -> None:
    this = update(feeds).where(feeds.c.id == bindparam("feed"))
    this = this.execution_options(synchronize_session=False)
    if done:
        db.execute(this.values(rendered_week=bindparam("week")), done)
        switches.turn_off_of(db, switches.FEED_WAITS, [str(each["feed"]) for each in done])
    if not changed:
        return
    db.execute(this.values(etag=bindparam("new_etag"), changed_at=bindparam("at")), changed)
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    put = dialect.insert(feed_bodies)
    put = put.on_conflict_do_update(
        index_elements=[feed_bodies.c.feed_id], set_={"body": put.excluded.body}
    )
    db.execute(put, packed)


def _later(before: datetime | None, now: datetime) -> datetime:
    stamp = now.replace(microsecond=0)
    return stamp if before is None else max(stamp, before + timedelta(seconds=1))


def key_of(row: Row[Any]) -> FeedKey:
    """What makes the feed of a row with its columns."""
    return FeedKey(
        kind=FeedKind(row.kind),
        owner_id=row.owner_id,
        language=row.language,
        show_cancelled=bool(row.show_cancelled),
        zoned=bool(row.zoned),
        alarms=bool(row.alarms),
    )


def packed_bodies(db: Session) -> Iterable[bytes]:
    """The gzipped body of every feed that has one."""
    return db.scalars(select(feed_bodies.c.body))


def owner(db: Session, kind: FeedKind, owner_id: int) -> Owner | None:
    return owners(db, [(kind, owner_id)]).get((kind, owner_id))


def owners(db: Session, wanted: Iterable[tuple[FeedKind, int]] | None = None) -> _Owners:
    """Whose feeds these are, or (None) all who can have one; at most six queries."""
    ids: dict[FeedKind, list[int]] = defaultdict(list)
    for kind, owner_id in wanted or ():
        ids[kind].append(owner_id)
    kinds = FeedKind if wanted is None else ids
    found: _Owners = {}
    for kind in kinds:
        query, column, read = _OWNERS[kind]
        if wanted is not None:
            query = query.where(column.in_(ids[kind]))
        for who in read(db, db.execute(query.order_by(column)).all()):
            found[kind, who.id] = who
    return found


def _teachers(db: Session, rows: Sequence[Row[Any]]) -> Iterable[Owner]:
    del db
    for row in rows:
        yield Owner(FeedKind.TEACHER, row.id, row.name, row.programme_id, frozenset({row.id}))


def _classes(db: Session, rows: Sequence[Row[Any]]) -> Iterable[Owner]:
    del db
    for row in rows:
        name = f"{row.name} · {row.school_name}"
        yield Owner(FeedKind.CLASS, row.id, name, row.programme_id, school_id=row.school_id)


def _schools(db: Session, rows: Sequence[Row[Any]]) -> Iterable[Owner]:
    del db
    for row in rows:
        yield Owner(FeedKind.SCHOOL, row.id, row.name, row.programme_id, school_id=row.id)


def _donor_schools(db: Session, rows: Sequence[Row[Any]]) -> Iterable[Owner]:
    staff: dict[int, set[int]] = defaultdict(set)
    mine = teachers.c.donor_school_id.in_([row.id for row in rows])
    for teacher in db.execute(select(teachers.c.id, teachers.c.donor_school_id).where(mine)):
        staff[teacher.donor_school_id].add(teacher.id)
    for row in rows:
        yield Owner(
            FeedKind.DONOR_SCHOOL,
            row.id,
            DonorSchool(row.id, row.name, row.district).label,
            row.programme_id,
            frozenset(staff[row.id]),  # type: ignore[arg-type]
            donor_school_id=row.id,
        )


def _programmes(db: Session, rows: Sequence[Row[Any]]) -> Iterable[Owner]:
    del db
    for row in rows:
        yield Owner(FeedKind.PROGRAMME, row.id, row.name, row.id)


_OWNERS: dict[FeedKind, tuple[Select[Any], ColumnElement[int], Any]] = {
    FeedKind.TEACHER: (
        select(teachers.c.id, teachers.c.programme_id, persons.c.name).join(
            persons, teachers.c.person_id == persons.c.id
        ),
        teachers.c.id,
        _teachers,
    ),
    FeedKind.CLASS: (
        select(
            classes.c.id,
            classes.c.name,
            classes.c.school_id,
            receiving_schools.c.name.label("school_name"),
            receiving_schools.c.programme_id,
        ).join(receiving_schools, classes.c.school_id == receiving_schools.c.id),
        classes.c.id,
        _classes,
    ),
    FeedKind.SCHOOL: (select(receiving_schools), receiving_schools.c.id, _schools),
    FeedKind.DONOR_SCHOOL: (select(donor_schools), donor_schools.c.id, _donor_schools),
    FeedKind.PROGRAMME: (select(programmes), programmes.c.id, _programmes),
}
