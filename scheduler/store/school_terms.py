"""The schools that somebody sees with what their lessons hang on: bells, and terms."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Subquery, cast, null, select, union_all
from sqlalchemy.orm import Session

from scheduler.domain.access import Actor
from scheduler.domain.people import ReceivingSchool, SchoolId
from scheduler.domain.terms import Term
from scheduler.store import bells
from scheduler.store.bells import Bells
from scheduler.store.tables import holidays, programmes, receiving_schools, terms
from scheduler.store.terms import a_school, a_term
from scheduler.store.visibility import visible_to

_OF_TERM = "term_"


@dataclass(frozen=True, slots=True)
class Seen:
    """Schools in the order that was asked for, all bells that ring or rang in them, and the terms
    of each one's programme, the newest first."""

    schools: tuple[ReceivingSchool, ...]
    rung: Bells
    terms: Mapping[SchoolId, tuple[Term, ...]]


def find(db: Session, actor: Actor, ids: Sequence[int]) -> Seen:
    """Those of these schools that the actor may see; one query."""
    beside = _beside(ids)
    query = (
        select(
            receiving_schools,
            beside,
            programmes.c.zone.label(f"{_OF_TERM}zone"),
            *(column.label(f"{_OF_TERM}{column.name}") for column in terms.c),
        )
        .join(programmes, programmes.c.id == receiving_schools.c.programme_id)
        .outerjoin(beside, beside.c.school_id == receiving_schools.c.id)
        .outerjoin(terms, terms.c.id == beside.c.in_term)
        .where(receiving_schools.c.id.in_(list(ids)), visible_to(actor, receiving_schools))
        .order_by(terms.c.first_day.desc(), terms.c.id.desc(), beside.c.term_day)
    )
    rows = db.execute(query).all()
    rung = bells.read(rows)
    found = {row.id: a_school(row, rung) for row in rows}
    return Seen(tuple(found[each] for each in ids if each in found), rung, _terms(rows))


def _beside(ids: Sequence[int]) -> Subquery:
    """A row for each bell of these schools, and for each term one, or one for each holiday."""
    rung = bells.rings(ids)
    no_bell = (
        cast(null(), column.type).label(column.name)
        for column in rung.c
        if column.key != "school_id"
    )
    ringing = select(
        rung,
        cast(null(), terms.c.id.type).label("in_term"),
        cast(null(), holidays.c.day.type).label("term_day"),
    )
    taught = (
        select(receiving_schools.c.id, *no_bell, terms.c.id, holidays.c.day)
        .join(terms, terms.c.programme_id == receiving_schools.c.programme_id)
        .outerjoin(holidays, holidays.c.term_id == terms.c.id)
        .where(receiving_schools.c.id.in_(list(ids)))
    )
    return union_all(ringing, taught).subquery("beside")


def _terms(rows: Iterable[Row[Any]]) -> dict[SchoolId, tuple[Term, ...]]:
    found: dict[SchoolId, dict[int, list[Row[Any]]]] = defaultdict(dict)
    for row in rows:
        if row.term_id is not None:
            found[SchoolId(row.id)].setdefault(row.term_id, []).append(row)
    return {
        school: tuple(a_term(days, _OF_TERM) for days in each.values())
        for school, each in found.items()
    }
