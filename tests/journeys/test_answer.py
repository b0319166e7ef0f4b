"""From the mail of the day before: a teacher answers in two taps, the mail's own and one more."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from scheduler.domain.lessons import LessonState
from scheduler.services import sending
from scheduler.store import lessons
from tests.faults.kit import Post
from tests.journeys.conftest import no_complaints
from tests.web.timetable import publish

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 640}
TOUCH = 44


@pytest.fixture
def mail(served, cast, clock):
    """What lies in the teacher's mailbox on the evening before the lesson, with the lesson."""
    lesson = publish(served, cast)[0]
    clock.at = lesson.starts_at - timedelta(hours=13)
    post = Post()
    while sending.send_due(served, post).claimed:
        pass
    to = "teacher1@x.example"
    told = [x for x, who in zip(post.arrived, post.recipients, strict=True) if who == to]
    bodies = (each.get_body(("html",)).get_content() for each in told)
    return lesson, next(body for body in bodies if "Tôi sẽ dạy" in body)


def taps_of(browser, body, link, button, *, script):
    """The page after the mail's link and the button, and how many taps that took."""
    context = browser.new_context(viewport=PHONE, has_touch=True, java_script_enabled=script)
    page, taps = context.new_page(), 0
    with no_complaints(page):
        # The mailbox: what the link opens is opened as a mail program does it.
        page.goto(re.search(rf'href="([^"]*)"[^>]*>{link}<', body)[1].replace("&amp;", "&"))
        taps += 1
        pressed = page.get_by_role("button", name=button, exact=True)
        box = pressed.bounding_box()
        assert box["height"] >= TOUCH
        assert box["y"] + box["height"] <= PHONE["height"]  # in sight, without scrolling
        pressed.tap()
        taps += 1
        page.wait_for_url(lambda where: "say=" not in where)
    return page, taps


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize(
    ("link", "button", "said", "state"),
    [
        ("Tôi sẽ dạy", "Tôi sẽ dạy", "Thầy cô sẽ dạy tiết này", LessonState.SCHEDULED),
        ("Tôi bận", "Tôi bị ốm", "Đang tìm người dạy thay", LessonState.COVER),
    ],
)
def test_a_mail_is_answered_in_two_taps(browser, served, mail, script, link, button, said, state):
    lesson, body = mail
    page, taps = taps_of(browser, body, link, button, script=script)
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(said))
    assert taps == 2
    with served.reading() as db:
        assert lessons.get(db, lesson.id).state is state
    page.get_by_role("button", name="Rút lại câu trả lời").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thầy cô sẽ dạy tiết này chứ?")
    page.context.close()
