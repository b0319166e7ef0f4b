"""The page of a reader's choices about reminders."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from scheduler.domain.choices import Choices
from scheduler.domain.joint_sessions import Wish
from scheduler.services import choices, joint_sessions, links, partnerships, reminders
from tests.web.rights import PAIR
from tests.web.timetable import publish

ALL = {"digest": "yes", "day_before": "yes", "hour_before": "yes", "soon": "yes"}
SENT = ALL | {"quiet_from": "", "quiet_until": "", "zone": "", "zone_other": "", "language": "vi"}


@pytest.fixture
def teacher(ctx, cast, site):
    publish(ctx, cast)
    return site.of(cast.actors["teacher1"])


def wish(ctx, cast, who="teacher1"):
    return choices.desk(ctx, cast.actors[who]).wish


def test_the_page_shows_what_comes_next(teacher):
    page = teacher.see("/teacher/reminders").text
    assert "Lời nhắc kế tiếp: Thứ Ba 03/10" in page
    assert "một ngày trước" in page
    assert page.count(" checked") == 4
    assert 'href="/teacher/reminders"' in teacher.get("/calendar").text


def test_a_joint_session_may_be_what_comes_next(ctx, cast, teacher):
    coordinator = cast.actors["coordinator"]
    starts, guests = ctx.now() + timedelta(hours=25), frozenset({cast["person_teacher1"]})
    pair = partnerships.add(ctx, coordinator, PAIR)
    wish = Wish("Phát âm", starts, starts + timedelta(hours=1), None, guests)
    joint_sessions.plan(ctx, coordinator, pair, wish)
    reminders.plan_ahead(ctx)
    assert "một ngày trước buổi sinh hoạt" in teacher.see("/teacher/reminders").text


def test_what_is_saved_is_what_was_chosen_and_can_be_undone(ctx, cast, teacher):
    teacher.see("/teacher/reminders")
    sent = SENT | {"quiet_from": "1320", "quiet_until": "390", "zone": "Europe/Berlin",
                   "after_confirming": "yes", "invitations": "yes"}  # fmt: skip
    del sent["soon"]
    done = teacher.submit("/teacher/reminders", sent)
    assert done.status_code == 303
    kept = wish(ctx, cast)
    assert kept.choices == Choices(
        soon=False, after_confirming=True, invitations=True, quiet_from=1320, quiet_until=390
    )
    assert kept.zone == "Europe/Berlin"
    page = teacher.see(done.headers["location"]).text
    assert "Đã lưu lựa chọn của thầy cô." in page
    assert "giờ Berlin" in page
    former = dict(parse_qsl(urlsplit(done.headers["location"]).query))
    former.pop("saved")
    for name, value in former.items():
        assert f'name="{name}" value="{value}"' in page
    teacher.submit("/teacher/reminders", former)
    assert wish(ctx, cast) == choices.Wish(Choices(), None, "vi")


def test_any_zone_of_the_world_may_be_written(ctx, cast, teacher):
    teacher.see("/teacher/reminders")
    assert (
        teacher.submit("/teacher/reminders", SENT | {"zone_other": "Pacific/Apia"}).status_code
        == 303
    )
    assert wish(ctx, cast).zone == "Pacific/Apia"
    assert 'value="Pacific/Apia" selected' in teacher.get("/teacher/reminders").text


@pytest.mark.parametrize(
    "fault",
    [
        {"zone_other": "Mars/Olympus"},
        {"zone": "Mars"},
        {"zone": "localtime"},  # another one on each machine
        {"zone": "Factory"},
        {"quiet_from": "60"},
        {"quiet_from": "60", "quiet_until": "60"},
        {"quiet_from": "1440", "quiet_until": "60"},
        {"language": "fr"},
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_not_saved(ctx, cast, teacher, fault):
    teacher.see("/teacher/reminders")
    page = teacher.submit("/teacher/reminders", SENT | fault)
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert wish(ctx, cast) == choices.Wish(Choices(), None, "vi")


def test_the_language_of_the_page_follows(teacher):
    teacher.see("/teacher/reminders")
    done = teacher.submit("/teacher/reminders", SENT | {"language": "en"})
    assert "Your choices are saved." in teacher.get(done.headers["location"]).text


def test_all_reminders_stop_and_come_again(teacher):
    teacher.see("/teacher/reminders")
    teacher.submit("/teacher/reminders/all", {"all": "stop"})
    page = teacher.see("/teacher/reminders").text
    assert "Thầy cô đã ngừng mọi lời nhắc." in page
    teacher.submit("/teacher/reminders/all", {"all": "start"})
    assert "Lời nhắc kế tiếp" in teacher.get("/teacher/reminders").text


def test_a_school_chooses_too_and_loses_nothing_that_its_page_does_not_show(ctx, cast, site):
    browser = site.of(cast.actors["schoolA"])
    page = browser.see("/school/reminders").text
    assert 'name="digest"' in page
    assert 'name="soon"' not in page
    sent = {name: value for name, value in SENT.items() if name not in ("soon", "hour_before")}
    assert browser.submit("/school/reminders", sent).status_code == 303
    assert wish(ctx, cast, "schoolA").choices == Choices()


def test_a_stop_link_offers_the_way_back(ctx, cast, site):
    visitor = site.browser()
    path = links.stop_url(ctx, cast["person_teacher1"]).removeprefix("https://chungtay.example")
    assert "Gửi lại lời nhắc cho tôi" in visitor.post(path, data={}).text
    assert not choices.desk(ctx, cast.actors["teacher1"]).on
    assert visitor.post(path, data={"again": "yes"}).status_code == 200
    assert choices.desk(ctx, cast.actors["teacher1"]).on
