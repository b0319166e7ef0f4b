"""What is too old to keep: found, counted, and cleared in batches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from scheduler.domain.messages import OPEN_STATES
from scheduler.domain.retention import Kept, without_words
from scheduler.store.tables import (
    absences,
    access_tokens,
    address_changes,
    audit_origins,
    audits,
    briefs,
    buckets,
    cover_calls,
    invitations,
    joint_sessions,
    kept_answers,
    lesson_history,
    lessons,
    offers,
    outbox,
    pins,
    reports,
    sessions,
    sign_ins,
    swaps,
    uploads,
    webhook_deliveries,
)


@dataclass(frozen=True, slots=True)
class _Step:
    """Rows of one table that are too old, and what to put there; None: the whole row goes."""

    table: Table
    where: ColumnElement[bool]
    values: Mapping[str, object] | None = None


def count(db: Session, kept: Kept, before: datetime) -> int:
    """How many rows of this kind are from before that instant."""
    return sum(_count(db, step) for step in _steps(kept, before))


def clear(db: Session, kept: Kept, before: datetime, most: int) -> int:
    """Clear some of these rows; how many.  Call it again until it finds none."""
    done = 0
    for step in _steps(kept, before):
        if done < most:
            done += _clear(db, step, most - done)
    return done


def _count(db: Session, step: _Step) -> int:
    query = select(func.count()).select_from(step.table).where(step.where)
    return int(db.scalar(query) or 0)


def _clear(db: Session, step: _Step, most: int) -> int:
    if step.table is outbox:
        return _clear_payloads(db, step.where, most)
    key = tuple(step.table.primary_key.columns)
    some = select(*key).where(step.where).order_by(*key).limit(most)
    place = tuple_(*key) if len(key) > 1 else key[0]
    chosen = place.in_(some)
    change = (
        delete(step.table).where(chosen)
        if step.values is None
        else update(step.table).where(chosen).values(dict(step.values))
    )
    return len(db.execute(change.returning(*key)).all())


def _clear_payloads(db: Session, where: ColumnElement[bool], most: int) -> int:
    query = select(outbox.c.id, outbox.c.payload).where(where).order_by(outbox.c.id).limit(most)
    found = db.execute(query).all()
    if found:
        bare = [{"row": row.id, "told": without_words(row.payload)} for row in found]
        change = update(outbox).where(outbox.c.id == bindparam("row"))
        db.connection().execute(
            change.values(payload=bindparam("told", type_=outbox.c.payload.type)), bare
        )
    return len(found)


def _steps(kept: Kept, before: datetime) -> tuple[_Step, ...]:
    return _STEPS[kept](before)


def _lesson_words(before: datetime) -> tuple[_Step, ...]:
    return (
        _Step(
            lessons,
            and_(
                lessons.c.ends_at < before,
                or_(lessons.c.cancel_reason != "", lessons.c.cancelled_by != ""),
            ),
            {"cancel_reason": "", "cancelled_by": ""},
        ),
        _Step(
            joint_sessions,
            and_(
                joint_sessions.c.ends_at < before,
                or_(joint_sessions.c.cancel_reason != "", joint_sessions.c.cancelled_by != ""),
            ),
            {"cancel_reason": "", "cancelled_by": ""},
        ),
        _words(reports, before, "note"),
        _words(briefs, before, "unit", "pages", "done", "next"),
        _words(lesson_history, before, "reason"),
        _words(cover_calls, before, "reason"),
        _words(pins, before, "note"),
        _words(swaps, before, "words", lesson="given_id"),
        _Step(
            offers,
            and_(
                offers.c.reason != "",
                offers.c.call_id.in_(
                    select(cover_calls.c.id).where(cover_calls.c.lesson_id.in_(_old(before)))
                ),
            ),
            {"reason": ""},
        ),
        _Step(
            absences,
            and_(absences.c.reason != "", absences.c.last_day < before.date()),
            {"reason": ""},
        ),
    )


def _words(table: Table, before: datetime, *names: str, lesson: str = "lesson_id") -> _Step:
    """Rows about a lesson that ended before then, with words in one of these columns."""
    said = or_(*(table.c[name] != "" for name in names))
    return _Step(table, and_(said, table.c[lesson].in_(_old(before))), dict.fromkeys(names, ""))


def _old(before: datetime) -> Select[tuple[int]]:
    return select(lessons.c.id).where(lessons.c.ends_at < before)


def wordy() -> ColumnElement[bool]:
    """Messages whose payload holds somebody's words or name."""
    told = cast(outbox.c.payload, String)
    named = or_(*(told.like(f'%"{key}": "%') for key in ("reason", "teacher", "by")))
    written = or_(
        *(
            and_(told.like(f'%"{key}": "%'), told.not_like(f'%"{key}": ""%'))
            for key in ("words", "name", "email")
        )
    )
    return or_(named, written)


def _message_words(before: datetime) -> tuple[_Step, ...]:
    ended = outbox.c.state.not_in(OPEN_STATES)
    return (_Step(outbox, and_(ended, outbox.c.useless_after < before, wordy())),)


def _sessions(before: datetime) -> tuple[_Step, ...]:
    ended = or_(sessions.c.ended_at < before, sessions.c.expires_at < before)
    return (_Step(sign_ins, sign_ins.c.expires_at < before), _Step(sessions, ended))


def _invitations(before: datetime) -> tuple[_Step, ...]:
    over = or_(
        invitations.c.accepted_at < before,
        invitations.c.revoked_at < before,
        invitations.c.expires_at < before,
    )
    changed = or_(address_changes.c.used_at < before, address_changes.c.expires_at < before)
    return (_Step(invitations, over), _Step(address_changes, changed))


def _tokens(before: datetime) -> tuple[_Step, ...]:
    ended = or_(access_tokens.c.revoked_at < before, access_tokens.c.expires_at < before)
    return (_Step(access_tokens, ended),)


def _origins(before: datetime) -> tuple[_Step, ...]:
    old = select(audits.c.id).where(audits.c.at < before)
    return (_Step(audit_origins, audit_origins.c.audit_id.in_(old)),)


def _uploads(before: datetime) -> tuple[_Step, ...]:
    return (_Step(uploads, uploads.c.sent_at < before),)


def _told(before: datetime) -> tuple[_Step, ...]:
    return (_Step(webhook_deliveries, webhook_deliveries.c.made_at < before),)


def _answers(before: datetime) -> tuple[_Step, ...]:
    return (_Step(kept_answers, kept_answers.c.made_at < before),)


def _tries(before: datetime) -> tuple[_Step, ...]:
    return (_Step(buckets, buckets.c.full_at <= int(before.timestamp() * 1000)),)


_STEPS = {
    Kept.LESSON_WORDS: _lesson_words,
    Kept.MESSAGE_WORDS: _message_words,
    Kept.SESSIONS: _sessions,
    Kept.INVITATIONS: _invitations,
    Kept.TOKENS: _tokens,
    Kept.ORIGINS: _origins,
    Kept.UPLOADS: _uploads,
    Kept.WEBHOOKS: _told,
    Kept.KEPT_ANSWERS: _answers,
    Kept.TRIES: _tries,
}
