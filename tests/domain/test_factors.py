"""Rules of the second factor: what is due, and how codes are read."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduler import security
from scheduler.domain import factors
from scheduler.domain.access import Actor, Grant, Role
from scheduler.domain.accounts import SessionSeen
from scheduler.domain.factors import Due
from scheduler.domain.people import PersonId
from scheduler.domain.terms import ProgrammeId

NOW = datetime(2023, 10, 2, 6, 30, tzinfo=UTC)
roles = st.sampled_from(list(Role))
proofs = st.none() | st.integers(0, 40 * 60).map(lambda seconds: NOW - timedelta(seconds=seconds))
counts = st.integers(0, 3)


def session(role, proved_at):
    actor = Actor(PersonId(1), "Cô", "co@x.example", "vi", (Grant(role, ProgrammeId(1)),))
    return SessionSeen(1, actor, "csrf", NOW, NOW, NOW, NOW, NOW, proved_at)


@given(roles, proofs, counts)
def test_who_may_touch_factors_has_none_yet_or_has_just_shown_one(role, proved_at, count):
    seen = session(role, proved_at)
    fresh = proved_at is not None and NOW - proved_at < timedelta(minutes=15)
    runs = role in (Role.COORDINATOR, Role.ADMIN)
    expected = Due.SHOW if count else Due.SET_UP
    assert factors.due(seen, count, NOW) is (expected if runs and not fresh else Due.DONE)
    assert factors.may_add(seen, count, NOW) is (runs and (fresh or count == 0))


@given(roles, proofs, st.integers(1, 3), st.booleans())
def test_nobody_who_needs_a_factor_is_left_without_one(role, proved_at, count, required):
    seen = session(role, proved_at)
    if factors.may_remove(seen, count, NOW, required):
        assert factors.is_fresh(seen, NOW)
        assert count > 1 or not (required and seen.strict)


@given(st.integers(0, 10**11))
def test_a_code_is_taken_for_a_minute_and_a_half(milliseconds):
    at = NOW + timedelta(milliseconds=milliseconds)
    before, present, after = factors.steps(at)
    assert (before + 1, after - 1) == (present, present)
    begins = datetime.fromtimestamp(present * 30, UTC)
    assert begins <= at < begins + timedelta(seconds=30)


@given(st.text(security.CODE_LETTERS, min_size=10, max_size=10), st.sampled_from(" -–.\t"))
def test_a_code_copied_from_paper_is_read_as_it_was_told(code, between):
    shown = factors.in_groups(code, 5)
    assert [len(part) for part in shown.split()] == [5, 5]
    assert factors.letters(shown.lower().replace(" ", between)) == code


@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_a_passkey_counts_forward_or_never(was, now):
    assert factors.went_back(was, now) is (now <= was and (was, now) != (0, 0))
