"""A pasted list: the preview is what is saved, wholly or as chosen, and checked again."""

from dataclasses import replace

import pytest

from scheduler.domain import requests as rules
from scheduler.domain.pasting import Effect
from scheduler.domain.requests import Slot
from scheduler.errors import Invalid, NotFound, Stale
from scheduler.services import pasting, requests
from scheduler.services.pasting import Saved
from tests.cast import gather, minutes
from tests.web import cast_desk as desk

NEW, CHANGE, SAME, NONE = Effect.NEW, Effect.CHANGE, Effect.SAME, Effect.NONE
SECOND = "7A#2\t1\t09/10/2023\t24/12/2023\tT5 sáng 2"
BAD = "7A#3\t1\t09/10/2023\t31/11/2023\tT6 sáng 3"
CHANGED = "7A\t2\t\t\tT2 sáng tiết 1; T6 sáng tiết 3"


@pytest.fixture
def cast(ctx, clock):
    return gather(ctx)


@pytest.fixture
def school(cast):
    return cast.actors["schoolA"]


def effects(shown) -> list[Effect]:
    return [line.effect for line in shown.lines]


def test_the_preview_says_what_is_new_changed_and_the_same(ctx, cast, school):
    shown = pasting.preview(ctx, school, cast["A"], "\n".join([CHANGED, SECOND, BAD]))
    assert effects(shown) == [CHANGE, NEW, NONE]
    saved = pasting.save(
        ctx, school, cast["A"], f"{CHANGED}\n{SECOND}", preview(ctx, cast, school), only_sound=False
    )
    assert saved == Saved(1, 1, 0)
    assert effects(pasting.preview(ctx, school, cast["A"], f"{CHANGED}\n{SECOND}")) == [SAME] * 2


def preview(ctx, cast, school, typed: str = f"{CHANGED}\n{SECOND}") -> str:
    return pasting.preview(ctx, school, cast["A"], typed).seen


def test_what_is_saved_is_what_the_rows_say(ctx, cast, school):
    (before,) = desk.asked(ctx, cast)
    typed = f"{CHANGED}\n{SECOND}"
    pasting.save(ctx, school, cast["A"], typed, preview(ctx, cast, school), only_sound=False)
    first, second = desk.asked(ctx, cast)
    early, late, middle = minutes("07:30"), minutes("09:20"), minutes("08:25")
    slots = (Slot(0, early, early + 45, 0), Slot(4, late, late + 45, 0))
    wanted = replace(rules.as_asked(before), lessons_per_week=2, slots=slots)
    assert (first.id, rules.as_asked(first)) == (before.id, wanted)
    assert second.slots == (Slot(3, middle, middle + 45, 0),)


def test_saving_twice_is_saving_once(ctx, cast, school):
    typed, seen = f"{CHANGED}\n{SECOND}", preview(ctx, cast, school)
    for _ in range(2):
        pasting.save(ctx, school, cast["A"], typed, seen, only_sound=False)
    assert len(desk.asked(ctx, cast)) == 2


def test_with_a_fault_all_or_the_sound_rows_are_saved_as_chosen_never_some(ctx, cast, school):
    typed = f"{BAD}\n{CHANGED}\n{SECOND}"
    before, seen = desk.asked(ctx, cast), preview(ctx, cast, school, typed)
    with pytest.raises(Invalid) as caught:
        pasting.save(ctx, school, cast["A"], typed, seen, only_sound=False)
    assert set(caught.value.fields) == {"rows"}
    assert desk.asked(ctx, cast) == before
    saved = pasting.save(ctx, school, cast["A"], typed, seen, only_sound=True)
    assert saved == Saved(1, 1, 1)
    assert len(desk.asked(ctx, cast)) == 2


def test_what_was_changed_after_the_preview_is_not_overwritten(ctx, cast, school):
    (before,) = desk.asked(ctx, cast)
    seen = preview(ctx, cast, school)
    new = replace(rules.as_asked(before), priority=3)
    requests.change(ctx, school, before.id, new, rules.seen_as(before))
    with pytest.raises(Stale):
        pasting.save(
            ctx, school, cast["A"], f"{CHANGED}\n{SECOND}", seen, only_sound=False
        )  # fmt: skip
    (kept,) = desk.asked(ctx, cast)
    assert rules.as_asked(kept) == new


def test_rows_that_cannot_be_meant_say_so(ctx, cast, school):
    foreign = SECOND.replace("7A#2", "8B")
    shown = pasting.preview(ctx, school, cast["A"], f"{foreign}\n{CHANGED}\n{CHANGED}")
    assert effects(shown) == [NONE, CHANGE, NONE]
    desk.ask(ctx, cast)
    shown = pasting.preview(ctx, school, cast["A"], CHANGED)
    assert effects(shown) == [NONE]
    assert "7A#1" in str(shown.lines[0].row.faults[0].what)


@pytest.mark.parametrize("who", ["teacher1", "schoolB", "stranger"])
def test_nobody_else_pastes_for_a_school(ctx, cast, school, who):
    seen = preview(ctx, cast, school)
    with pytest.raises(NotFound):
        pasting.preview(ctx, cast.actors[who], cast["A"], SECOND)
    with pytest.raises(NotFound):
        pasting.save(ctx, cast.actors[who], cast["A"], SECOND, seen, only_sound=True)
    assert len(desk.asked(ctx, cast)) == 1


def test_of_many_rows_each_is_saved_in_one_go(ctx, cast, school):
    typed = "\n".join(SECOND.replace("#2", f"#{n}").replace("24/12", f"{n % 28 + 1:02d}/12")
                      for n in range(2, 30))  # fmt: skip
    seen = preview(ctx, cast, school, typed)
    saved = pasting.save(ctx, school, cast["A"], typed, seen, only_sound=False)
    assert saved == Saved(28, 0, 0)
    assert len(desk.asked(ctx, cast)) == 29
