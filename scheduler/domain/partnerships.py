"""Pairs of units that pledged each other lessons and joint sessions.  Pure.

A unit is a district or one school, by its name.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import NewType

from scheduler.domain.people import DonorSchool, ReceivingSchool
from scheduler.domain.plans import Fingerprint
from scheduler.errors import Text, text

PartnershipId = NewType("PartnershipId", int)

MOST = 10_000  # lessons or sessions that a pledge can name


class Binding(StrEnum):
    """What a partnership means for matching."""

    NONE = "none"
    WISH = "wish"  # the donor unit's teachers go to the receiving unit rather than elsewhere
    RULE = "rule"  # they go nowhere else


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed; the two units by name."""

    donor_unit: str
    receiving_unit: str
    lessons_pledged: int
    joint_sessions_pledged: int
    binding: Binding


@dataclass(frozen=True, slots=True)
class Partnership:
    id: PartnershipId
    terms: Terms

    @property
    def fingerprint(self) -> Fingerprint:
        """Names what was agreed: equal only while nothing of it was changed."""
        told = f"{self.id}{[str(each) for each in astuple(self.terms)]}"
        return Fingerprint(hashlib.sha256(told.encode()).hexdigest()[:16])

    def gives(self, school: DonorSchool) -> bool:
        return self.terms.donor_unit in (school.label, school.district)

    def receives(self, school: ReceivingSchool) -> bool:
        return self.terms.receiving_unit in (school.name, school.district)


def donor_units(schools: Iterable[DonorSchool]) -> tuple[str, ...]:
    """What can be named on the giving side: districts first, then schools."""
    known = tuple(schools)
    return (*sorted({x.district for x in known}), *sorted(x.label for x in known))


def receiving_units(schools: Iterable[ReceivingSchool]) -> tuple[str, ...]:
    known = tuple(schools)
    return (*sorted({x.district for x in known}), *sorted({x.name for x in known}))


def faults(
    told: Terms, donors: Collection[str], receivers: Collection[str], others: Iterable[Terms]
) -> dict[str, Text]:
    """What is wrong with it, by field; `others`: the programme's other partnerships."""
    found: dict[str, Text] = {}
    if told.donor_unit not in donors:
        found["donor_unit"] = text("Choose one of these.")
    if told.receiving_unit not in receivers:
        found["receiving_unit"] = text("Choose one of these.")
    pair = (told.donor_unit, told.receiving_unit)
    if any(pair == (each.donor_unit, each.receiving_unit) for each in others):
        found["receiving_unit"] = text("These two are partners already. Change that partnership.")
    return found


# -- what they mean for matching


@dataclass(frozen=True, slots=True)
class Bonds:
    """By a donor school's label the codes of schools that its teachers wish for, and those that
    they may go to; who is in neither is free."""

    wished: Mapping[str, frozenset[str]]
    allowed: Mapping[str, frozenset[str]]


def bonds(
    known: Iterable[Partnership],
    donors: Iterable[DonorSchool],
    receivers: Iterable[ReceivingSchool],
) -> Bonds:
    """A school in several partnerships has the schools of them all; a rule is also a wish.

    A unit that has no school any more, being renamed for instance, binds nobody.
    """
    by_binding: dict[Binding, dict[str, set[str]]] = {each: {} for each in Binding}
    schools, there = tuple(donors), tuple(receivers)
    for one in known:
        codes = {school.code for school in there if one.receives(school)}
        for school in (each for each in schools if one.gives(each)):
            by_binding[one.terms.binding].setdefault(school.label, set()).update(codes)
    wished, allowed = by_binding[Binding.WISH], by_binding[Binding.RULE]
    return Bonds(
        {label: frozenset(codes) for label, codes in wished.items() if codes},
        {
            label: frozenset(codes | wished.get(label, set()))
            for label, codes in allowed.items()
            if codes
        },
    )


def groups(found: Bonds, codes: Iterable[str]) -> dict[str, frozenset[str]]:
    """For each school's code the labels of bound donor schools whose teachers may come."""
    return {
        code: frozenset(label for label, allowed in found.allowed.items() if code in allowed)
        for code in codes
    }
