"""Words that no database can keep, or too many of them, are refused at every door alike."""

import pytest

from scheduler.domain.cover import Reply
from scheduler.domain.disruptions import Closure
from scheduler.domain.intervals import DaySpan
from scheduler.domain.remarks import LONGEST
from scheduler.errors import Invalid
from scheduler.services import cover, disruptions, lessons, offers, pins, swaps
from tests.planning import A1, B1, WEDNESDAY, draft, publish, timetable
from tests.standins import asked, cannot

DOORS = {
    "call_off": lambda ctx, cast, one, two, words: lessons.call_off(
        ctx, cast.actors["coordinator"], one, words
    ),
    "ask_for_cover": lambda ctx, cast, one, two, words: cover.ask(
        ctx, cast.actors["coordinator"], one, words
    ),
    "pin": lambda ctx, cast, one, two, words: pins.put(
        ctx, cast.actors["coordinator"], [one], words
    ),
    "closure": lambda ctx, cast, one, two, words: disruptions.preview(
        ctx,
        cast.actors["coordinator"],
        Closure((cast["A"],), DaySpan(WEDNESDAY, WEDNESDAY), words),
    ),
    "swap": lambda ctx, cast, one, two, words: swaps.ask(
        ctx, cast.actors["teacher1"], one, two, words
    ),
}


@pytest.fixture
def pair(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1, (*B1[:3], "teacher2")))
    return [lesson.id for lesson in timetable(ctx, cast)]


@pytest.mark.parametrize("words", ["a\x00b", "\ud800", "x" * (LONGEST + 1), "Hi\r\nBcc: x"])
@pytest.mark.parametrize("door", DOORS)
def test_words_that_cannot_be_kept_are_refused(ctx, cast, pair, door, words):
    before = timetable(ctx, cast)
    with pytest.raises(Invalid) as fault:
        DOORS[door](ctx, cast, *pair, words)
    assert len(fault.value.fields) == 1
    assert timetable(ctx, cast) == before


@pytest.mark.parametrize("words", ["a\x00b", "x" * 10_000])
def test_a_refusal_to_stand_in_is_kept_with_words_that_can_be_kept(ctx, cast, pair, words):
    cannot(ctx, cast, pair[0])
    offer = asked(ctx, pair[0])[0]
    with pytest.raises(Invalid):
        offers.reply(ctx, offer.id, Reply.DECLINE, words)
    offers.reply(ctx, offer.id, Reply.DECLINE, "Bận  <họp> 🙂\n")
    assert asked(ctx, pair[0])[0].reason == "Bận <họp> 🙂"
