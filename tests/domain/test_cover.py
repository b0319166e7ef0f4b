"""The laws of asking: when an answer counts no more, and who is asked in which order."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.domain import cover
from scheduler.domain.busy import Availability
from scheduler.domain.candidates import Candidate, Obstacle
from scheduler.domain.cover import LEAST, MOST, PREPARING, Ranked, Wave

NOW = datetime(2023, 10, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WAVES = st.sampled_from(Wave)
AHEAD = st.integers(1, 60 * 24 * 20).map(lambda minutes: minutes * MINUTE)


def ranked(number, *, fits, knows, same):
    who = Candidate(
        teacher_id=number, person_id=number, name="", donor_school_id=1, donor_school="",
        levels=frozenset(), max_per_day=1, max_per_week=1, max_total=1, windows=(), absences=(),
        busy=(), calendar=Availability.FREE, booked=(), total=0, wishes=frozenset(),
        wishes_any=False, class_lessons=int(knows), asked_at=None,
    )  # fmt: skip
    hindering = () if fits else (Obstacle.AWAY,)
    return Ranked(who, hindering, ask_first=False, if_needed=False, same_school=same, wished=False)


KINDS = st.tuples(st.booleans(), st.booleans(), st.booleans())
CROWDS = st.lists(KINDS, max_size=40).map(
    lambda kinds: [
        ranked(number, fits=fits, knows=knows, same=same)
        for number, (fits, knows, same) in enumerate(kinds)
    ]
)


MANY = [ranked(number, fits=True, knows=False, same=False) for number in range(35)]


# -- deadlines


@given(ahead=AHEAD, wave=WAVES)
def test_a_deadline_lies_after_now_and_leaves_time_to_prepare(ahead, wave):
    starts = NOW + ahead
    until = cover.deadline(NOW, starts, wave)
    assert until <= starts - PREPARING < starts
    assert cover.is_too_late(NOW, starts) or NOW < until <= NOW + MOST


@given(ahead=AHEAD, nearer=AHEAD, wave=WAVES)
def test_the_nearer_the_lesson_the_less_time_there_is_for_an_answer(ahead, nearer, wave):
    near, far = sorted((ahead, nearer))
    left = [cover.deadline(NOW, NOW + each, wave) - NOW for each in (near, far)]
    assert left == sorted(left)


@given(ahead=AHEAD, passed=st.floats(0, 1), wave=WAVES)
def test_who_is_asked_later_never_has_longer_nor_until_earlier(ahead, passed, wave):
    starts, later = NOW + ahead, NOW + passed * ahead
    first, second = (cover.deadline(at, starts, wave) for at in (NOW, later))
    assert second - later <= first - NOW
    assert first <= second


@given(ahead=AHEAD, wave=WAVES)
def test_nobody_is_hurried_without_need(ahead, wave):
    until = cover.deadline(NOW, NOW + ahead, wave)
    assert until - NOW >= min(LEAST, ahead - PREPARING)


# -- waves


def asked_in(crowd, ahead):
    """Every wave of a call in which nobody answers, with its instant, until nobody is left."""
    starts, now, last, asked = NOW + ahead, NOW, Wave.BY_HAND, []
    while chosen := cover.next_wave(crowd, {x.who.teacher_id for _, x in asked}, last, now, starts):
        asked += chosen
        last = chosen[-1][0]
        now = cover.deadline(now, starts, last)
        assert len(asked) <= len(crowd)
    return asked, now


@given(crowd=CROWDS, ahead=AHEAD)
@example(crowd=MANY, ahead=timedelta(days=2))
def test_everybody_who_fits_is_asked_once_before_the_call_is_exhausted(crowd, ahead):
    asked, now = asked_in(crowd, ahead)
    numbers = [line.who.teacher_id for _, line in asked]
    assert len(numbers) == len(set(numbers))
    fit = {line.who.teacher_id for line in crowd if line.fits}
    assert set(numbers) <= fit
    assert set(numbers) == fit or cover.is_too_late(now, NOW + ahead)
    assert set(numbers) == fit or ahead < timedelta(days=1)


@given(crowd=CROWDS, ahead=AHEAD)
def test_waves_come_in_order_and_the_best_of_each_first(crowd, ahead):
    asked, _ = asked_in(crowd, ahead)
    waves = [wave for wave, _ in asked]
    assert waves == sorted(waves)
    for wave in set(waves):
        numbers = [line.who.teacher_id for each, line in asked if each is wave]
        assert numbers == sorted(numbers)
    assert all(line.knows_class for wave, line in asked if wave is Wave.CLASS)
    assert all(line.same_school for wave, line in asked if wave is Wave.SCHOOL)


@given(crowd=CROWDS, ahead=AHEAD)
def test_nobody_is_asked_when_it_is_too_late_for_a_message(crowd, ahead):
    starts = NOW + min(ahead, PREPARING)
    assert cover.next_wave(crowd, (), Wave.BY_HAND, NOW, starts) == ()
