"""Certificates: issued once for the same figures, true to their paper, checked by anybody."""

import re
from datetime import date
from threading import Thread

import pytest

from scheduler.domain.lessons import Cause, LessonState
from scheduler.domain.records import Amount
from scheduler.errors import Conflict, NotAllowed, NotFound
from scheduler.services import certificates
from tests import outcomes


@pytest.fixture
def held(ctx, cast, clock):
    """Teacher 1 gave 3 lessons in October, teacher 2 none; it is December."""
    (a, b, c, *rest), _ = outcomes.autumn(ctx, cast)
    outcomes.hold(ctx, a, b, c)
    clock.forward(days=70)
    return [a, b, c, *rest]


def issue(ctx, cast, who="coordinator", teacher="teacher1", **days):
    return certificates.issue(ctx, cast.actors[who], cast[teacher], **days)


def test_a_certificate_counts_held_lessons_alone(ctx, cast, held):
    outcomes.end(ctx, [held[3]], LessonState.NOT_HELD, cause=Cause.CLASS.value)
    outcomes.report(ctx, cast, held[4], "teacher")
    said = issue(ctx, cast).facts
    assert (said.name, said.school) == ("Cô teacher1", "THCS Ái Mộ, Long Biên")
    assert said.programme == "Hà Nội – Yên Bái"
    assert said.held == Amount(3, 135)
    assert said.months == ((date(2023, 10, 1), Amount(3, 135)),)


def test_issued_twice_with_the_same_figures_it_is_the_same_certificate(ctx, cast, held, clock):
    first = issue(ctx, cast)
    clock.forward(days=1)
    assert issue(ctx, cast) == first
    assert issue(ctx, cast, "teacher1") == first
    assert certificates.issue_own(ctx, cast.actors["teacher1"]) == first
    assert certificates.issue_all(ctx, cast.actors["coordinator"]) == (first,)


def test_other_figures_give_another_and_the_old_one_stays_true_to_its_paper(ctx, cast, held):
    first = issue(ctx, cast)
    outcomes.hold(ctx, held[3])
    second = issue(ctx, cast)
    assert second.code != first.code
    assert second.facts.held == Amount(4, 180)
    assert certificates.check(ctx, first.code) == first
    assert certificates.of_teacher(ctx, cast.actors["teacher1"], cast["teacher1"]) == (
        first,
        second,
    )


def test_the_same_sum_in_other_months_is_another_paper(ctx, cast, held):
    first = issue(ctx, cast)
    outcomes.end(ctx, [held[0]], LessonState.NOT_HELD, cause=Cause.TEACHER.value)
    outcomes.hold(ctx, held[6])  # in November
    second = issue(ctx, cast)
    assert second.facts.held == first.facts.held
    assert second.code != first.code


def test_other_days_give_another_certificate(ctx, cast, held):
    days = {"first_day": date(2023, 10, 1), "last_day": date(2023, 10, 15)}
    assert issue(ctx, cast, **days).facts.held == Amount(2, 90)
    assert issue(ctx, cast, **days) == issue(ctx, cast, **days)
    assert issue(ctx, cast).code != issue(ctx, cast, **days).code


def test_who_gave_no_lesson_that_counts_gets_none(ctx, cast, held):
    with pytest.raises(Conflict, match="counts as given"):
        issue(ctx, cast, teacher="teacher2")
    assert len(certificates.issue_all(ctx, cast.actors["coordinator"])) == 1


def test_two_who_issue_at_once_give_the_same(ctx, cast, held):
    codes = []
    threads = [Thread(target=lambda: codes.append(issue(ctx, cast).code)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(codes) == 6
    assert len(set(codes)) == 1


def test_only_a_coordinator_issues_to_others_and_withdraws(ctx, cast, held):
    code = issue(ctx, cast).code
    for name in ("teacher2", "schoolA", "stranger"):
        with pytest.raises(NotFound):
            issue(ctx, cast, name)
        with pytest.raises(NotFound):
            certificates.of_teacher(ctx, cast.actors[name], cast["teacher1"])
        with pytest.raises(NotFound):
            certificates.withdraw(ctx, cast.actors[name], code)
    with pytest.raises(NotAllowed):
        certificates.withdraw(ctx, cast.actors["teacher1"], code)
    with pytest.raises(NotFound):
        certificates.issue_all(ctx, cast.actors["teacher1"])
    assert certificates.check(ctx, code).withdrawn_at is None


def test_a_withdrawn_certificate_stays_withdrawn_and_a_new_one_can_be_issued(
    ctx, cast, held, clock
):
    first = issue(ctx, cast)
    gone = certificates.withdraw(ctx, cast.actors["coordinator"], first.code.lower())
    clock.forward(days=1)
    again = certificates.withdraw(ctx, cast.actors["coordinator"], first.code)
    assert gone == again == certificates.check(ctx, first.code)
    assert gone.withdrawn_at is not None
    assert issue(ctx, cast).code != first.code
    with pytest.raises(NotFound):
        certificates.withdraw(ctx, cast.actors["coordinator"], "AAAA-AAAA-AAAA")


def test_a_code_is_found_however_it_is_typed(ctx, cast, held):
    made = issue(ctx, cast)
    assert re.fullmatch(r"[A-HJ-NP-Z2-9]{4}(-[A-HJ-NP-Z2-9]{4}){2}", made.code)
    for typed in (made.code, made.code.lower(), made.code.replace("-", ""), f" {made.code} "):
        assert certificates.check(ctx, typed) == made
    for wrong in ("", made.code[:-1], made.code + "A", "Ä" * 12, "%" * 12, "x" * 10_000):
        assert certificates.check(ctx, wrong) is None
