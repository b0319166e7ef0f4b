"""What changed for a teacher since they last saw it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.lessons import Deed, LessonState
from scheduler.domain.news import News
from scheduler.domain.sightings import Turn, unseen

ME, OTHER = 1, 2
T0 = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)
OFF = LessonState.CANCELLED


def turn(sequence, *, own=True, hours=0, state=LessonState.SCHEDULED, by=OTHER, deed=Deed.MOVED):
    at = T0 + timedelta(hours=hours)
    return Turn(7, sequence, deed, by, "Cô Hoa", "phòng hỏng", state, own, at)


def test_each_change_is_told_with_who_made_it_and_why():
    first = turn(0, deed=Deed.PUBLISHED)
    moved = unseen([first, turn(1, hours=2)], ME, None)
    assert (moved.news, moved.was, moved.by, moved.reason, moved.sequence) == (
        News.MOVED, T0, "Cô Hoa", "phòng hỏng", 1,
    )  # fmt: skip
    gone = unseen([first, turn(1, own=False, deed=Deed.TAKEN_OVER)], ME, None)
    assert (gone.news, gone.was, gone.reason) == (News.GIVEN_AWAY, T0, "")  # an excuse is private
    off = unseen([first, turn(1, state=OFF, deed=Deed.CALLED_OFF)], ME, None)
    assert (off.news, off.was) == (News.CALLED_OFF, T0)
    new = unseen([turn(0, own=False), turn(1)], ME, None)
    assert (new.news, new.was) == (News.NEW, None)


def test_what_is_no_change_is_not_told():
    first = turn(0, deed=Deed.PUBLISHED)
    for turns in (
        [first],
        [first, turn(1, hours=2), turn(2)],  # it came back
        [first, turn(0, deed=Deed.COVER_ASKED, state=LessonState.COVER)],
        [turn(0, own=False), turn(1, by=ME, deed=Deed.TAKEN_OVER)],  # done by the reader
        [turn(0, own=False), turn(1), turn(2, own=False)],  # came and went
        [turn(0, state=OFF)],
    ):
        assert unseen(turns, ME, None) is None


TURNS = st.lists(
    st.builds(
        dict,
        own=st.booleans(),
        hours=st.integers(0, 2),
        state=st.sampled_from([LessonState.SCHEDULED, OFF]),
        by=st.sampled_from([ME, OTHER, None]),
    ),
    min_size=1,
    max_size=6,
).map(lambda given: [turn(n, **each) for n, each in enumerate(given)])


@given(TURNS)
def test_what_was_seen_as_it_stands_is_told_no_more(turns):
    assert unseen(turns, ME, turns[-1].sequence) is None


@given(TURNS, st.integers(0, 5))
def test_what_is_told_is_the_difference_between_what_was_seen_and_what_is(turns, seen):
    told = unseen(turns, ME, seen)
    knew = [x for x in turns if x.sequence <= seen or x.by == ME][-1]
    now = turns[-1]
    same = (knew.theirs, now.theirs) == (False, False) or (
        knew.theirs and now.theirs and knew.starts_at == now.starts_at
    )
    assert (told is None) == same
    if told:
        assert told.was == (knew.starts_at if knew.theirs else None)
        assert told.sequence == now.sequence
