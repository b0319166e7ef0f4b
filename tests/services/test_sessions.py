"""A session has a new secret each day; an old copy ends it; its person sees and ends it."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler import security
from scheduler.domain.access import Grant, Role
from scheduler.domain.accounts import FORMER_LIFE, GIVE_AGAIN, RENEW_EVERY
from scheduler.errors import NotFound
from scheduler.origin import Origin, coming_from
from scheduler.services import accounts, sessions
from scheduler.store import accounts as rows
from scheduler.store import tables
from scheduler.web.guard import LONGEST_COOKIE
from tests.effort import examples


def signed_in(ctx, who="teacher1", device=""):
    token = accounts.operator_link(ctx, f"{who}@x.example").rsplit("/", 1)[1]
    return accounts.sign_in(ctx, token, "any browser", device).token


def asked(ctx, secret):
    """One request: the secret that the browser holds afterwards; None when it is signed out."""
    found = sessions.who(ctx, secret)
    return None if found is None else sessions.renewed(ctx, found, secret) or secret


def noted(ctx, action):
    """Of the newest lines of the record: who did it and to whom."""
    line = sa.select(tables.audits.c.person_id, tables.audits.c.subject_id)
    with ctx.reading() as db:
        found = db.execute(
            line.where(tables.audits.c.action == action).order_by(tables.audits.c.id)
        )
        return [tuple(row) for row in found]


def test_a_secret_is_renewed_once_it_is_a_day_old(ctx, cast, clock):
    first = signed_in(ctx)
    clock.forward(hours=24, seconds=-1)
    assert asked(ctx, first) == first
    clock.forward(seconds=1)
    second = asked(ctx, first)
    assert second not in (None, first)
    assert len(second) <= LONGEST_COOKIE
    assert sessions.who(ctx, second).id == sessions.who(ctx, first).id
    assert asked(ctx, second) == second
    clock.forward(hours=24)
    assert asked(ctx, second) not in (None, first, second)


def test_forms_of_pages_from_before_the_renewal_still_go_through(ctx, cast, clock):
    first = signed_in(ctx)
    before = sessions.who(ctx, first).csrf
    clock.forward(hours=25)
    assert sessions.who(ctx, asked(ctx, first)).csrf == before


def renewed(ctx, clock):
    """A day later: the secret that a browser had, and the one it was given."""
    first = signed_in(ctx)
    clock.forward(hours=24)
    return first, asked(ctx, first)


def test_requests_under_way_are_answered_on_the_former_secret_for_a_minute(ctx, cast, clock):
    first, second = renewed(ctx, clock)
    assert asked(ctx, second) == second
    clock.forward(seconds=59)
    assert asked(ctx, first) == first
    assert asked(ctx, second) == second
    assert noted(ctx, "stolen_session") == []


def test_a_former_secret_that_comes_later_ends_the_session_for_both(ctx, cast, clock):
    first, second = renewed(ctx, clock)
    other = signed_in(ctx)
    assert asked(ctx, second) == second
    clock.forward(seconds=60)
    assert asked(ctx, first) is None
    assert asked(ctx, second) is None
    assert asked(ctx, first) is None
    assert noted(ctx, "stolen_session") == [(None, cast["person_teacher1"])]  # told once
    assert asked(ctx, other) == other


def test_a_browser_that_lost_the_answer_goes_on_and_is_given_another_secret(ctx, cast, clock):
    first, lost = renewed(ctx, clock)
    for seconds in (0, 1, 60, 538):
        clock.forward(seconds=seconds)
        assert asked(ctx, first) == first  # the answer may still be under way
    clock.forward(seconds=1)
    again = asked(ctx, first)
    assert again not in (None, first, lost)
    assert asked(ctx, first) == first
    assert asked(ctx, again) == again
    assert noted(ctx, "stolen_session") == []


def test_a_browser_that_loses_every_answer_of_a_week_stays_signed_in(ctx, cast, clock):
    first = signed_in(ctx)
    given = set()
    for _ in range(7 * 4):
        clock.forward(hours=6)
        given.add(asked(ctx, first))
    assert None not in given
    assert len(given) == 1 + 25


def test_a_secret_that_was_given_again_to_somebody_else_ends_the_session(ctx, cast, clock):
    """Its browser has the new one and rests; who copied the former comes and is given another."""
    first, mine = renewed(ctx, clock)
    clock.forward(minutes=10)
    theirs = asked(ctx, first)
    assert theirs not in (None, first, mine)
    assert asked(ctx, theirs) == theirs
    assert asked(ctx, mine) is None
    assert asked(ctx, theirs) is None
    assert noted(ctx, "stolen_session") == [(None, cast["person_teacher1"])]


def test_a_copy_of_any_age_ends_the_session(ctx, cast, clock):
    first = secret = signed_in(ctx)
    for _ in range(3):
        clock.forward(hours=25)
        secret = asked(ctx, secret)
        assert asked(ctx, secret) == secret
        clock.forward(minutes=2)
    assert asked(ctx, first) is None
    assert asked(ctx, secret) is None
    assert noted(ctx, "stolen_session") == [(None, cast["person_teacher1"])]


def test_a_role_given_while_a_new_secret_is_under_way_waits_for_it(ctx, cast, clock):
    first, lost = renewed(ctx, clock)
    with ctx.transaction() as db:
        rows.renew_soon(db, [cast["person_teacher1"]])
    requests = [first, lost, lost, first]
    assert [asked(ctx, each) for each in requests] == requests
    clock.forward(seconds=60)
    assert asked(ctx, lost) not in (None, lost)


def at_once(ctx, secret):
    """What four requests with this secret are given that begin at the same time."""
    found = sessions.who(ctx, secret)
    barrier, given_out = threading.Barrier(4), []

    def ask():
        barrier.wait()
        given_out.append(sessions.renewed(ctx, found, secret))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each for each in given_out if each]


def test_of_requests_at_once_one_is_given_the_new_secret(ctx, cast, clock):
    first = signed_in(ctx)
    clock.forward(hours=24)
    [lost] = at_once(ctx, first)
    assert asked(ctx, first) == first  # the other three go on with it until they hear
    clock.forward(minutes=10)
    [new] = at_once(ctx, first)
    assert new != lost
    assert asked(ctx, new) == new
    assert asked(ctx, first) == first


def test_the_new_secret_may_come_first_in_requests_at_once(ctx, cast, clock):
    first, second = renewed(ctx, clock)
    barrier, seen = threading.Barrier(4), []

    def come():
        barrier.wait()
        seen.append(sessions.who(ctx, second))

    threads = [threading.Thread(target=come) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert None not in seen
    clock.forward(seconds=59)
    assert asked(ctx, first) == first
    clock.forward(seconds=1)
    assert asked(ctx, first) is None


GAPS = st.one_of(
    st.timedeltas(timedelta(0), 2 * FORMER_LIFE),
    st.timedeltas(timedelta(0), 2 * GIVE_AGAIN),
    st.timedeltas(timedelta(0), timedelta(days=3)),
    st.sampled_from([timedelta(0), FORMER_LIFE, GIVE_AGAIN, RENEW_EVERY]),
)
PATIENCE = GIVE_AGAIN / 2  # of a browser, for an answer
ANSWERS = st.one_of(st.none(), st.just(timedelta(0)), st.timedeltas(timedelta(0), PATIENCE))
REQUESTS = st.tuples(
    GAPS,
    st.timedeltas(timedelta(0), FORMER_LIFE - timedelta(seconds=1)),  # on its way to us
    ANSWERS,  # on its way back; None: lost
    st.booleans(),  # of the thief?
)


class Model:
    """What a session's secrets are worth, as the law has it."""

    def __init__(self, secret, now):
        self.newest, self.former, self.is_over = secret, None, False
        self.came_at = self.given_at = self.renewed_at = now

    def brought(self, secret, now):
        """Whether the request is answered, and whether with a new secret."""
        works, due = False, False
        if secret == self.newest:
            works = True
            settled = self.came_at is not None and (
                self.former is None or now - self.came_at >= FORMER_LIFE
            )
            due = settled and now - self.renewed_at >= RENEW_EVERY
            self.came_at = self.came_at or now
        elif secret == self.former:
            unused = self.came_at is None
            works = unused or now - self.came_at < FORMER_LIFE
            due = unused and now - self.given_at >= GIVE_AGAIN
        self.is_over = self.is_over or not works
        return not self.is_over, due and not self.is_over

    def gave(self, new, brought, now):
        if brought == self.newest:
            self.former, self.renewed_at = brought, now
        self.newest, self.given_at, self.came_at = new, now, None


@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=st.lists(REQUESTS, min_size=1, max_size=8))
def test_an_old_copy_ends_the_session_and_alone_one_stays(ctx, cast, clock, requests):
    """The law of renewal, for a browser on a bad line and for whoever copied its secret at the
    beginning: answers are late, overtake each other, or are lost."""
    first = signed_in(ctx)
    model = Model(first, clock.now())
    arrived = {is_thief: [(clock.now(), 0, first)] for is_thief in (True, False)}
    clock.at += RENEW_EVERY
    for n, (gap, late, back, is_thief) in enumerate(requests, 1):
        clock.at += gap
        now = clock.now()
        _, _, brought = max(each for each in arrived[is_thief] if each[0] <= now - late)
        answered = asked(ctx, brought)
        works, due = model.brought(brought, now)
        assert (answered is not None) is works
        assert (answered not in (None, brought)) is due
        if due:
            model.gave(answered, brought, now)
            if back is not None:
                arrived[is_thief].append((now + back, n, answered))
    if len({is_thief for *_, is_thief in requests}) == 1:
        assert not model.is_over


def test_a_new_role_means_a_new_secret(ctx, cast):
    first = signed_in(ctx)
    assert asked(ctx, first) == first
    with ctx.transaction() as db:
        grant = Grant(Role.SCHOOL, cast["programme"], school_id=cast["A"])
        rows.add_grant(db, cast["person_teacher1"], grant)
    second = asked(ctx, first)
    assert second not in (None, first)
    assert sessions.who(ctx, second).actor.grants[-1] == grant


def test_the_list_says_what_from_where_and_since_when(ctx, cast, clock):
    began = ctx.now()
    with coming_from(Origin("r1", "198.51.100.7")):
        phone = signed_in(ctx, device="Safari · iPhone")
    clock.forward(minutes=5)
    signed_in(ctx, device="Chrome · Windows")
    signed_in(ctx, "teacher2")
    clock.forward(minutes=6)
    with coming_from(Origin("r2", "2001:db8::1")):
        assert asked(ctx, phone) == phone
    found = sessions.mine(ctx, cast.actors["teacher1"])
    assert [(each.device, each.address) for each in found] == [
        ("Safari · iPhone", "2001:db8::1"),
        ("Chrome · Windows", ""),
    ]
    assert (found[0].created_at, found[0].seen_at) == (began, ctx.now())


def test_what_is_too_old_or_idle_or_ended_is_not_listed(ctx, cast, clock):
    for who, hours in (("teacher1", 14 * 24), ("coordinator", 12)):
        signed_in(ctx, who)
        sessions.sign_out(ctx, signed_in(ctx, who))
        clock.forward(hours=hours, seconds=-1)
        assert len(sessions.mine(ctx, cast.actors[who])) == 1
        clock.forward(seconds=1)
        assert sessions.mine(ctx, cast.actors[who]) == ()


def test_one_session_is_ended_at_once_and_once(ctx, cast):
    lost, kept = signed_in(ctx), signed_in(ctx)
    which = sessions.who(ctx, lost).id
    for _ in range(2):
        sessions.end(ctx, cast.actors["teacher1"], which)
    assert sessions.who(ctx, lost) is None
    assert sessions.who(ctx, kept) is not None
    [(by, session)] = noted(ctx, "ended_session")
    assert (by, session) == (cast["person_teacher1"], which)


@pytest.mark.parametrize("who", ["teacher2", "coordinator", "stranger"])
def test_nobody_ends_what_is_another_persons(ctx, cast, who):
    secret = signed_in(ctx)
    which = sessions.who(ctx, secret).id
    for number in (which, 999_999):
        with pytest.raises(NotFound):
            sessions.end(ctx, cast.actors[who], number)
    assert sessions.end_others(ctx, cast.actors[who], which) == 0
    assert sessions.who(ctx, secret) is not None


def test_all_others_are_ended_and_this_one_stays(ctx, cast):
    here, *others = [signed_in(ctx) for _ in range(4)]
    stranger = signed_in(ctx, "teacher2")
    own = sessions.who(ctx, here).id
    assert sessions.end_others(ctx, cast.actors["teacher1"], own) == 3
    assert sessions.end_others(ctx, cast.actors["teacher1"], own) == 0
    assert [sessions.who(ctx, each) for each in others] == [None] * 3
    assert sessions.who(ctx, here) is not None
    assert sessions.who(ctx, stranger) is not None
    assert len(noted(ctx, "ended_sessions")) == 1


def test_all_sessions_of_a_person_end_together_with_former_secrets(ctx, cast, clock):
    stranger = signed_in(ctx, "teacher2")
    first, second = renewed(ctx, clock)
    with ctx.transaction() as db:
        assert rows.end_sessions(db, cast["person_teacher1"], ctx.now()) == 1
    assert [sessions.who(ctx, each) for each in (first, second)] == [None, None]
    assert asked(ctx, stranger) is not None


def test_signing_out_on_the_former_secret_ends_the_session(ctx, cast, clock):
    first, second = renewed(ctx, clock)
    for _ in range(2):
        sessions.sign_out(ctx, first)
    assert sessions.who(ctx, second) is None
    assert noted(ctx, "signed_out") == [(cast["person_teacher1"], cast["person_teacher1"])]


def test_new_and_former_secrets_are_kept_as_hashes_only(ctx, cast, clock):
    first, second = renewed(ctx, clock)
    with ctx.reading() as db:
        [row] = db.execute(sa.select(tables.sessions)).mappings()
    assert (row["token_hash"], row["former_hash"]) == (
        security.digest(second),
        security.digest(first),
    )
    assert not {first, second} & set(map(str, row.values()))
