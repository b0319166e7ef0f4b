"""The second factor: what counts as one, how often, and who may change it."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa

from scheduler.domain.access import Role
from scheduler.domain.factors import Due
from scheduler.errors import ChungTayError, Conflict, Invalid, NotAllowed, NotFound, TooMany
from scheduler.services import accounts, factors, passkeys, sessions
from scheduler.store import tables
from tests.passkey import Device

# Phones know nothing of the programme's clock, which stands still in 2023.
AT = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
STEP = timedelta(seconds=30)


def entered(ctx, actor):
    """A session begun by the mailbox alone: its cookie's secret."""
    link = accounts.operator_link(ctx, actor.email).rsplit("/", 1)[1]
    return accounts.sign_in(ctx, link, "").token


def seen(ctx, token):
    found = sessions.who(ctx, token)
    assert found is not None
    return found


def code(secret, at=AT):
    return pyotp.TOTP(secret).at(at)


def set_up(ctx, session, at=AT):
    """An app in use; its secret, and what came with it."""
    proposal = factors.propose(ctx, session)
    return proposal.secret, factors.set_up_app(
        ctx, session, proposal.sealed, code(proposal.secret, at), at
    )


def noted(ctx):
    """The actions about factors in the record, in order, each with its factor."""
    query = sa.select(tables.audits).order_by(tables.audits.c.id)
    with ctx.reading() as db:
        rows = db.execute(query).all()
    return [
        (row.action, (row.after or row.before or {}).get("factor"), row.reason)
        for row in rows
        if "factor" in row.action or "recovery" in row.action
    ]


@pytest.fixture
def half(ctx, cast):
    """The coordinator, signed in by her mailbox."""
    return seen(ctx, entered(ctx, cast.actors["coordinator"]))


@pytest.fixture
def ready(ctx, half):
    """The same with an app, her session proved: the secret, the session, the recovery codes."""
    secret, added = set_up(ctx, half)
    return secret, seen(ctx, added.token), added.codes


def again(ctx, cast):
    """The coordinator at a later sign-in."""
    return seen(ctx, entered(ctx, cast.actors["coordinator"]))


def raced(sessions, show):
    """How each of them ended that showed the same at the same time."""
    barrier, ended = threading.Barrier(len(sessions)), []

    def race(session):
        barrier.wait()
        try:
            show(session)
            ended.append("in")
        except ChungTayError as error:
            ended.append(type(error).__name__)

    threads = [threading.Thread(target=race, args=(each,)) for each in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


# -- setting up


def test_the_first_code_sets_up_the_app_and_proves_the_session(ctx, cast, half):
    assert factors.due(ctx, half) is Due.SET_UP
    _, added = set_up(ctx, half)
    proved = seen(ctx, added.token)
    assert (proved.proved_at, factors.due(ctx, proved)) == (ctx.now(), Due.DONE)
    assert len(set(added.codes)) == 10
    assert {len(each) for each in added.codes} == {10}
    held = factors.mine(ctx, half.actor)
    assert (held.count, held.codes_left) == (1, 10)
    assert noted(ctx) == [("add_factor", "app", ""), ("show_factor", "app", "")]
    assert factors.due(ctx, again(ctx, cast)) is Due.SHOW


def test_the_secret_of_the_session_changes_when_it_is_proved(ctx, cast):
    before = entered(ctx, cast.actors["coordinator"])
    _, added = set_up(ctx, seen(ctx, before))
    assert sessions.who(ctx, before) is None
    assert added.token != before


def test_a_wrong_first_code_sets_up_nothing_and_the_secret_stays(ctx, half):
    proposal = factors.propose(ctx, half)
    wrong = f"{(int(code(proposal.secret)) + 1) % 10**6:06}"
    with pytest.raises(Invalid) as told:
        factors.set_up_app(ctx, half, proposal.sealed, wrong, AT + 5 * STEP)
    assert list(told.value.fields) == ["code"]
    assert factors.mine(ctx, half.actor).count == 0
    assert factors.propose(ctx, half, proposal.sealed) == proposal
    assert noted(ctx) == [("wrong_factor", "app", "")]


def test_a_page_given_to_somebody_else_sets_up_nothing(ctx, cast, half):
    stranger = seen(ctx, entered(ctx, cast.actors["stranger"]))
    proposal = factors.propose(ctx, stranger)
    for sealed in (proposal.sealed, "", "nonsense"):
        with pytest.raises(Invalid):
            factors.set_up_app(ctx, half, sealed, code(proposal.secret), AT)
        assert factors.propose(ctx, half, sealed).secret != proposal.secret


def test_neither_secret_nor_codes_are_kept_in_clear(ctx, ready):
    secret, _, codes = ready
    with ctx.reading() as db:
        kept = [
            str(row)
            for table in (tables.authenticators, tables.recovery_codes, tables.audits)
            for row in db.execute(sa.select(table))
        ]
    assert not any(each in row for row in kept for each in (secret, *codes))


def test_a_mailbox_alone_adds_no_second_app_beside_the_first(ctx, cast, ready):
    thief = again(ctx, cast)
    with pytest.raises(NotAllowed):
        set_up(ctx, thief)
    with pytest.raises(NotAllowed):
        passkeys.creation_options(ctx, thief)
    assert factors.mine(ctx, thief.actor).count == 1


def test_of_two_first_apps_at_once_one_is_set_up(ctx, cast):
    ended = raced([again(ctx, cast), again(ctx, cast)], lambda session: set_up(ctx, session))
    assert sorted(ended) == ["NotAllowed", "in"]


def test_teachers_and_schools_are_not_asked_and_can_set_up_none(ctx, cast):
    for who in ("teacher1", "schoolA"):
        session = seen(ctx, entered(ctx, cast.actors[who]))
        assert factors.due(ctx, session) is Due.DONE
        for ask in (factors.propose, passkeys.creation_options, passkeys.request_options):
            with pytest.raises(NotFound):
                ask(ctx, session)


# -- showing a code


def test_the_code_of_a_step_is_taken_once_and_no_earlier_one_after_it(ctx, cast, ready):
    secret, _, _ = ready
    later = AT + 4 * STEP
    token = factors.show_code(ctx, again(ctx, cast), code(secret, later), later)
    assert seen(ctx, token).proved_at == ctx.now()
    for at in (later, later - STEP):
        with pytest.raises(Invalid):
            factors.show_code(ctx, again(ctx, cast), code(secret, at), later)
    factors.show_code(ctx, again(ctx, cast), code(secret, later + STEP), later)


def test_the_code_that_set_up_the_app_is_not_taken_again(ctx, cast, ready):
    secret, _, _ = ready
    with pytest.raises(Invalid) as told:
        factors.show_code(ctx, again(ctx, cast), code(secret), AT)
    assert "used already" in str(told.value)


def test_a_phone_may_be_one_step_off(ctx, cast, clock, ready):
    secret, _, _ = ready
    for n, drift in enumerate((-2, -1, 0, 1, 2), start=1):
        now = AT + n * 10 * STEP
        typed, session = code(secret, now + drift * STEP), again(ctx, cast)
        if abs(drift) > 1:
            with pytest.raises(Invalid):
                factors.show_code(ctx, session, typed, now)
        else:
            assert factors.show_code(ctx, session, f" {typed[:3]} {typed[3:]} ", now)


def test_one_code_in_two_browsers_at_once_opens_one(ctx, cast, ready):
    secret, _, _ = ready
    later = AT + 4 * STEP
    opened = raced(
        [again(ctx, cast), again(ctx, cast)],
        lambda session: factors.show_code(ctx, session, code(secret, later), later),
    )
    assert sorted(opened) == ["Invalid", "in"]


def test_what_is_no_code_is_refused(ctx, cast, ready):
    session = again(ctx, cast)
    for typed in ("", "12345", "1234567", "abcdef", "１２３４５６", "\0\ud800", "9" * 5000):
        with pytest.raises(Invalid):
            factors.show_code(ctx, session, typed, AT)


def test_the_eleventh_try_has_to_wait_and_the_right_code_too(ctx, cast, clock, ready):
    secret, _, codes = ready
    later = AT + 4 * STEP
    session = again(ctx, cast)
    for _ in range(9):  # setting it up was the first
        with pytest.raises(Invalid):
            factors.show_code(ctx, session, "000000", later + 50 * STEP)
    tries = (
        lambda: factors.show_code(ctx, session, code(secret, later), later),
        lambda: factors.show_recovery_code(ctx, session, codes[0]),
        lambda: passkeys.show(ctx, session, "{}"),
    )
    for each in tries:
        with pytest.raises(TooMany) as told:
            each()
        assert 0 < told.value.retry_after <= 180
    clock.forward(minutes=3)
    assert factors.show_code(ctx, session, code(secret, later), later)
    assert noted(ctx)[-2:] == [("wrong_factor", "app", ""), ("show_factor", "app", "")]


def test_after_a_lost_key_the_operator_is_named(ctx, cast, ready):
    secret, _, _ = ready
    session = again(ctx, cast)
    lost = replace(ctx, key=b"quite another key of thirty-two bytes")
    with pytest.raises(Conflict) as told:
        factors.show_code(lost, session, code(secret), AT)
    assert "operator" in str(told.value)


def test_a_former_key_still_opens_what_it_sealed(ctx, cast, ready):
    secret, _, codes = ready
    newer = replace(ctx, key=b"quite another key of thirty-two bytes", former_keys=(ctx.key,))
    later = AT + 4 * STEP
    assert factors.show_code(newer, again(ctx, cast), code(secret, later), later)
    assert factors.show_recovery_code(newer, again(ctx, cast), codes[0])


# -- recovery codes


def test_a_recovery_code_lets_in_once_however_it_is_typed(ctx, cast, ready):
    _, _, codes = ready
    typed = f" {codes[3][:5].lower()}-{codes[3][5:].lower()} "
    token = factors.show_recovery_code(ctx, again(ctx, cast), typed)
    assert seen(ctx, token).proved_at == ctx.now()
    with pytest.raises(Invalid):
        factors.show_recovery_code(ctx, again(ctx, cast), codes[3])
    assert factors.mine(ctx, cast.actors["coordinator"]).codes_left == 9


def test_one_recovery_code_in_two_browsers_at_once_opens_one(ctx, cast, ready):
    _, _, codes = ready
    opened = raced(
        [again(ctx, cast), again(ctx, cast)],
        lambda session: factors.show_recovery_code(ctx, session, codes[0]),
    )
    assert sorted(opened) == ["Invalid", "in"]


def test_a_code_of_somebody_else_lets_nobody_in(ctx, cast, ready):
    _, added = set_up(ctx, seen(ctx, entered(ctx, cast.actors["stranger"])))
    for typed in (added.codes[0], "", "\0\ud800"):
        with pytest.raises(Invalid):
            factors.show_recovery_code(ctx, again(ctx, cast), typed)


def test_new_recovery_codes_end_the_old_ones(ctx, cast, ready):
    _, proved, codes = ready
    newer = factors.new_codes(ctx, proved)
    assert not set(newer) & set(codes)
    with pytest.raises(Invalid):
        factors.show_recovery_code(ctx, again(ctx, cast), codes[0])
    factors.show_recovery_code(ctx, again(ctx, cast), newer[0])


# -- passkeys


def with_passkey(ctx, session, device):
    return passkeys.register(ctx, session, device.make(passkeys.creation_options(ctx, session)), "")


def test_a_passkey_may_be_the_first_factor_and_lets_in(ctx, cast, half):
    device = Device()
    added = with_passkey(ctx, half, device)
    assert len(added.codes) == 10
    assert seen(ctx, added.token).proved_at == ctx.now()
    session = again(ctx, cast)
    token = passkeys.show(ctx, session, device.sign(passkeys.request_options(ctx, session)))
    assert seen(ctx, token).proved_at == ctx.now()
    [held] = factors.mine(ctx, half.actor).passkeys
    assert held.last_used_at == ctx.now()


def test_the_browser_is_asked_to_verify_its_user_and_to_attest_nothing(ctx, half):
    options = json.loads(passkeys.creation_options(ctx, half))
    assert options["rp"] == {"id": "chungtay.example", "name": "Chung Tay"}
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    with_passkey(ctx, half, Device())
    assert json.loads(passkeys.request_options(ctx, half))["userVerification"] == "required"


def test_a_passkey_of_elsewhere_or_of_nobody_is_not_made_known(ctx, half):
    for change in (
        {"origin": "https://evil.example"},
        {"host": "evil.example"},
        {"verifies": False},
    ):
        with pytest.raises(Invalid):
            with_passkey(ctx, half, Device(**change))
    assert factors.mine(ctx, half.actor).count == 0


def test_a_signature_that_is_not_quite_right_opens_nothing(ctx, cast, half):
    device = Device()
    with_passkey(ctx, half, device)
    session = again(ctx, cast)
    wrong = ({"origin": "https://evil.example"}, {"host": "evil.example"}, {"verifies": False},
             {"key": Device().key})  # fmt: skip
    for change in wrong:
        asked = passkeys.request_options(ctx, session)
        with pytest.raises(Invalid):
            passkeys.show(ctx, session, replace(device, **change).sign(asked))
    assert factors.due(ctx, session) is Due.SHOW
    assert noted(ctx)[-4:] == [("wrong_factor", "passkey", "")] * 4


def test_what_was_signed_once_opens_nothing_a_second_time(ctx, cast, half):
    device = Device(counts=False)
    with_passkey(ctx, half, device)
    session = again(ctx, cast)
    signed = device.sign(passkeys.request_options(ctx, session))
    passkeys.show(ctx, session, signed)
    other = again(ctx, cast)
    with pytest.raises(Invalid):
        passkeys.show(ctx, session, signed)
    passkeys.request_options(ctx, other)
    with pytest.raises(Invalid):  # asked for something else
        passkeys.show(ctx, other, signed)


def test_a_question_is_open_for_five_minutes_and_for_one_answer(ctx, cast, clock, half):
    device = Device()
    with_passkey(ctx, half, device)
    session = again(ctx, cast)
    late = device.sign(passkeys.request_options(ctx, session))
    clock.forward(minutes=5)
    with pytest.raises(Invalid, match="too long"):
        passkeys.show(ctx, session, late)
    asked = passkeys.request_options(ctx, session)
    with pytest.raises(Invalid):
        passkeys.show(ctx, session, "{}")
    with pytest.raises(Invalid, match="too long"):
        passkeys.show(ctx, session, device.sign(asked))


def test_a_passkey_that_counts_back_is_refused_and_noted(ctx, cast, half):
    device = Device(signed=5)
    with_passkey(ctx, half, device)
    copy = replace(device, signed=2)
    session = again(ctx, cast)
    with pytest.raises(Invalid, match="as a copy would"):
        passkeys.show(ctx, session, copy.sign(passkeys.request_options(ctx, session)))
    assert noted(ctx)[-1] == ("wrong_factor", "passkey", "sign count went back")
    passkeys.show(ctx, session, device.sign(passkeys.request_options(ctx, session)))


def test_a_passkey_of_somebody_else_opens_nothing(ctx, cast, half):
    stranger = seen(ctx, entered(ctx, cast.actors["stranger"]))
    mine, theirs = Device(), Device()
    with_passkey(ctx, half, mine)
    with_passkey(ctx, stranger, theirs)
    session = again(ctx, cast)
    with pytest.raises(Invalid):
        passkeys.show(ctx, session, theirs.sign(passkeys.request_options(ctx, session)))


def test_the_same_passkey_is_known_once(ctx, half):
    device = Device()
    proved = seen(ctx, with_passkey(ctx, half, device).token)
    with pytest.raises(Conflict):
        with_passkey(ctx, proved, device)


def test_no_answer_of_a_browser_breaks_anything(ctx, cast, clock, half):
    with_passkey(ctx, half, Device())
    stranger = seen(ctx, entered(ctx, cast.actors["stranger"]))
    odd = {
        "clientDataJSON": "",
        "attestationObject": "oA",
        "authenticatorData": "",
        "signature": "",
    }
    answers = (
        "", "null", "[]", "{}", '{"id": 1}', '{"id": "\\ud800"}', '{"id": "\\u0000"}',
        "[" * 15000, "x" * 30000,
        json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": odd}),
    )  # fmt: skip
    for answer in answers:
        clock.forward(minutes=3)
        session = again(ctx, cast)
        passkeys.request_options(ctx, session)
        with pytest.raises(Invalid):
            passkeys.show(ctx, session, answer)
        passkeys.creation_options(ctx, stranger)
        with pytest.raises(Invalid):
            passkeys.register(ctx, stranger, answer, "")


def test_passkeys_need_an_address_with_a_name(ctx):
    able = {
        "https://chungtay.example": True,
        "http://localhost:8000": True,
        "http://127.0.0.1:8000": False,
        "http://[::1]:8000": False,
    }
    for address, expected in able.items():
        here = replace(ctx, settings=ctx.settings.model_copy(update={"base_url": address}))
        assert passkeys.usable(here) is expected


# -- changing and losing them


def test_a_session_proved_too_long_ago_changes_nothing(ctx, clock, ready):
    _, proved, _ = ready
    clock.forward(minutes=15)
    assert factors.due(ctx, proved) is Due.SHOW
    changes = (
        lambda: set_up(ctx, proved),
        lambda: factors.new_codes(ctx, proved),
        lambda: factors.remove_app(ctx, proved),
        lambda: passkeys.creation_options(ctx, proved),
    )
    for change in changes:
        with pytest.raises(NotAllowed):
            change()


def test_another_app_takes_the_place_of_the_first(ctx, cast, ready):
    secret, proved, _ = ready
    later = AT + 4 * STEP
    newer, added = set_up(ctx, proved, later)
    assert (added.token, added.codes) == ("", ())
    assert factors.mine(ctx, proved.actor).count == 1
    with pytest.raises(Invalid):
        factors.show_code(ctx, again(ctx, cast), code(secret, later + STEP), later + STEP)
    factors.show_code(ctx, again(ctx, cast), code(newer, later + STEP), later + STEP)


def test_the_last_factor_stays_as_long_as_one_is_needed(ctx, cast, ready):
    _, proved, _ = ready
    with pytest.raises(Conflict):
        factors.remove_app(ctx, proved)
    with_passkey(ctx, proved, Device())
    factors.remove_app(ctx, proved)
    [key] = factors.mine(ctx, proved.actor).passkeys
    with pytest.raises(Conflict):
        factors.remove_passkey(ctx, proved, key.id)
    relaxed = replace(ctx, settings=ctx.settings.model_copy(update={"second_factor": False}))
    factors.remove_passkey(relaxed, proved, key.id)
    held = factors.mine(ctx, proved.actor)
    assert (held.count, held.codes_left) == (0, 0)


def test_what_is_not_there_or_somebody_elses_is_not_removed(ctx, cast, ready):
    _, proved, _ = ready
    stranger = seen(ctx, entered(ctx, cast.actors["stranger"]))
    with_passkey(ctx, stranger, Device())
    [theirs] = factors.mine(ctx, stranger.actor).passkeys
    for number in (theirs.id, 999):
        with pytest.raises(NotFound):
            factors.remove_passkey(ctx, proved, number)
    assert factors.mine(ctx, stranger.actor).count == 1


def test_the_operator_resets_all_and_signs_out_everywhere(ctx, cast, ready):
    _, proved, _ = ready
    with_passkey(ctx, proved, Device())
    other = entered(ctx, cast.actors["coordinator"])
    stranger = entered(ctx, cast.actors["stranger"])
    factors.reset(ctx, cast.actors["coordinator"].email.upper())
    held = factors.mine(ctx, proved.actor)
    assert (held.count, held.codes_left) == (0, 0)
    assert sessions.who(ctx, other) is None
    assert sessions.who(ctx, stranger) is not None
    assert noted(ctx)[-1] == ("reset_factor", None, "")
    assert factors.due(ctx, again(ctx, cast)) is Due.SET_UP


def test_the_person_hears_by_mail_of_what_happened_to_the_second_factor(ctx, cast, ready):
    _, _, codes = ready
    factors.show_recovery_code(ctx, again(ctx, cast), codes[0])
    factors.reset(ctx, cast.actors["coordinator"].email)
    row = tables.outbox.c
    query = sa.select(row.person_id, row.channel, row.payload).order_by(row.id)
    with ctx.reading() as db:
        told = db.execute(query.where(row.kind == "factor_notice")).all()
    person = cast.actors["coordinator"].person_id
    assert [tuple(each) for each in told] == [
        (person, "mail", {"what": what}) for what in ("added", "recovery", "reset")
    ]


def test_nobody_is_reset_who_is_not_there(ctx, cast):
    with pytest.raises(NotFound):
        factors.reset(ctx, "nobody@x.example")


def test_whoever_comes_to_run_a_programme_is_asked_from_then_on(ctx, cast):
    token = entered(ctx, cast.actors["teacher1"])
    assert factors.due(ctx, seen(ctx, token)) is Due.DONE
    accounts.add_user(ctx, cast.actors["teacher1"].email, Role.COORDINATOR)
    assert factors.due(ctx, seen(ctx, token)) is Due.SET_UP
