"""A person's browsers: signed up, moved, tried out, forgotten; never anybody else's."""

from functools import partial

import pytest
import sqlalchemy as sa

from scheduler import security
from scheduler.delivery import push
from scheduler.delivery.channels import Outcome, Parcel, Receipt
from scheduler.delivery.push import PushTransport
from scheduler.domain.choices import Choices
from scheduler.domain.devices import MOST_DEVICES
from scheduler.domain.messages import Channel
from scheduler.errors import Conflict, Invalid, NotFound
from scheduler.services import devices
from scheduler.store import choices, tables
from tests.conftest import KEY
from tests.delivery.browsers import Browser, letters, pushing
from tests.delivery.peer import answer
from tests.faults.kit import write

PHONE = "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36"


def sign_up(ctx, actor, endpoint="https://push.test/ok", browser=None):
    found = (browser or Browser()).subscription(endpoint)
    devices.sign_up(ctx, actor, found.endpoint, found.p256dh, found.auth, PHONE)


def addresses(ctx, person_id):
    with ctx.reading() as db:
        return devices.addresses(ctx, db, person_id)


def chosen(ctx, actor):
    with ctx.reading() as db:
        return choices.of(db, [actor.person_id])[actor.person_id]


@pytest.fixture
def mine(cast):
    return cast.actors["teacher1"]


@pytest.fixture
def other(cast):
    return cast.actors["schoolA"]


def test_a_browser_is_signed_up_and_found_again(ctx, mine, other):
    browser = Browser()
    sign_up(ctx, mine, browser=browser)
    [device] = devices.mine(ctx, mine)
    assert (device.name, device.created_at, device.last_good_at) == (
        "Chrome · Android", ctx.now(), None,
    )  # fmt: skip
    assert device.mark == security.digest("https://push.test/ok")
    assert addresses(ctx, mine.person_id) == (push.address(browser.subscription()),)
    assert devices.mine(ctx, other) == ()


def test_nothing_of_a_browser_is_kept_readable(ctx, mine):
    browser = Browser()
    sign_up(ctx, mine, "https://push.test/secret-place", browser)
    with ctx.reading() as db:
        kept = [
            db.execute(sa.select(table)).all() for table in (tables.push_devices, tables.audits)
        ]
    for secret in ("secret-place", "push.test", letters(browser.auth)):
        assert secret not in str(kept)


def test_a_browser_that_signs_up_again_is_one_device_with_its_newest_keys(ctx, mine):
    newer = Browser()
    sign_up(ctx, mine)
    sign_up(ctx, mine, browser=newer)
    assert addresses(ctx, mine.person_id) == (push.address(newer.subscription()),)


def test_a_browser_moves_to_whoever_signs_it_up(ctx, mine, other):
    sign_up(ctx, mine)
    sign_up(ctx, other)
    assert devices.mine(ctx, mine) == ()
    assert len(devices.mine(ctx, other)) == 1


def test_signing_up_chooses_push_first_once(ctx, mine):
    with ctx.transaction() as db:
        choices.save(db, mine.person_id, Choices(soon=False, channels=(Channel.SMS, Channel.MAIL)))
    sign_up(ctx, mine)
    expected = Choices(soon=False, channels=(Channel.PUSH, Channel.SMS, Channel.MAIL))
    assert chosen(ctx, mine) == expected
    last = Choices(channels=(Channel.MAIL, Channel.PUSH))
    with ctx.transaction() as db:
        choices.save(db, mine.person_id, last)
    sign_up(ctx, mine, "https://push.test/2")
    assert chosen(ctx, mine) == last


def test_there_is_an_end_to_devices(ctx, mine, other):
    for number in range(MOST_DEVICES):
        sign_up(ctx, mine, f"https://push.test/{number}")
    with pytest.raises(Conflict, match="10 devices"):
        sign_up(ctx, mine, "https://push.test/more")
    sign_up(ctx, mine, "https://push.test/3")  # not one more
    sign_up(ctx, other, "https://push.test/more")
    assert len(devices.mine(ctx, mine)) == MOST_DEVICES


def test_what_cannot_be_a_browser_is_refused(ctx, mine):
    good = Browser().subscription()
    off_curve = letters(b"\x04" + b"\x01" * 64)
    for told in (
        ("http://push.test/ok", good.p256dh, good.auth),
        (good.endpoint, off_curve, good.auth),
        (good.endpoint, good.p256dh, "x"),
        ("", "", ""),
    ):
        with pytest.raises(Invalid):
            devices.sign_up(ctx, mine, *told, PHONE)
    assert devices.mine(ctx, mine) == ()


def test_the_device_of_another_is_not_there(ctx, mine, other):
    sign_up(ctx, mine)
    [device] = devices.mine(ctx, mine)
    with pytest.raises(NotFound):
        devices.remove(ctx, other, device.id)
    with pytest.raises(NotFound):
        devices.try_out(ctx, other, device.id, None)
    devices.remove(ctx, mine, device.id)
    assert devices.mine(ctx, mine) == ()
    with pytest.raises(NotFound):
        devices.remove(ctx, mine, device.id)


def test_a_trial_arrives_and_is_noted(ctx, mine, tmp_path):
    browser = Browser()
    sign_up(ctx, mine, browser=browser)
    [device] = devices.mine(ctx, mine)
    with pushing({"/ok": answer(status="201 Created")}, tmp_path) as far:
        post = PushTransport(
            security.push_key(KEY), "mailto:a@b.example", partial(devices.settle, ctx), far.network
        )
        devices.try_out(ctx, mine, device.id, post)
        told = browser.open(far.peer.requests[0].body)
    assert told["title"] == "Chung Tay gửi được tin đến thiết bị này"
    assert (told["url"], told["lang"]) == ("https://chungtay.example/devices", "vi")
    assert devices.mine(ctx, mine)[0].last_good_at == ctx.now()


def test_a_device_at_which_nobody_is_any_more_is_forgotten(ctx, mine, tmp_path):
    sign_up(ctx, mine, "https://push.test/gone")
    sign_up(ctx, mine, "https://push.test/ok")
    paths = {"/gone": answer(status="410 Gone"), "/ok": answer(status="201 Created")}
    with pushing(paths, tmp_path) as far:
        settle = partial(devices.settle, ctx)
        post = PushTransport(security.push_key(KEY), "mailto:a@b.example", settle, far.network)
        content = b'{"tag":"t"}'
        receipt = post.send(Parcel("<m@x>", addresses(ctx, mine.person_id), content, 60))
    assert receipt.outcome is Outcome.SENT
    [left] = devices.mine(ctx, mine)
    assert (left.mark, left.last_good_at) == (security.digest("https://push.test/ok"), ctx.now())


class Refusing:
    def send(self, parcel):
        return Receipt(Outcome.REFUSED_FOR_NOW, "503")

    def close(self):
        pass


def test_a_trial_that_fails_says_so(ctx, mine):
    sign_up(ctx, mine)
    [device] = devices.mine(ctx, mine)
    with pytest.raises(Conflict, match="could not be sent"):
        devices.try_out(ctx, mine, device.id, Refusing())


def test_silent_far_ends_leave_threads_for_pages(ctx, mine):
    sign_up(ctx, mine)
    [device] = devices.mine(ctx, mine)
    waiting = []

    class Silent(Refusing):
        def send(self, parcel):
            if len(waiting) < devices.MOST_TRIALS:
                waiting.append(parcel)
                with pytest.raises(Conflict):
                    devices.try_out(ctx, mine, device.id, self)
            return super().send(parcel)

    with pytest.raises(Conflict, match="could not be sent"):
        devices.try_out(ctx, mine, device.id, Silent())
    assert len(waiting) == devices.MOST_TRIALS
    with pytest.raises(Conflict, match="could not be sent"):  # and they are given back
        devices.try_out(ctx, mine, device.id, Refusing())


def test_a_device_sealed_by_a_former_key_takes_nothing_and_says_so(ctx, mine):
    sign_up(ctx, mine)
    [device] = devices.mine(ctx, mine)
    old = security.seal(b"another key, also long enough for it", "{}")
    write(ctx, tables.push_devices, sa.true(), sealed=old)
    assert addresses(ctx, mine.person_id) == ()
    with pytest.raises(Conflict, match="signed up again"):
        devices.try_out(ctx, mine, device.id, Refusing())
