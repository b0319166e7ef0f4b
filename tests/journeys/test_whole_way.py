"""The whole way in a browser: three people sign in, a request becomes a lesson in a calendar."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx2
import icalendar
import pytest
from playwright.sync_api import Page, expect

from scheduler.domain.access import Role
from scheduler.domain.intervals import monday
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.locale import Language, wording
from scheduler.services import accounts, demo, outbox
from scheduler.services.context import Context
from scheduler.store import lessons
from tests.journeys.conftest import SignIn, no_complaints

pytestmark = pytest.mark.browser
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def live_lessons(ctx: Context, **where: object) -> list[Lesson]:
    with ctx.reading() as db:
        found = lessons.find(db, **where)
    return [lesson for lesson in found if lesson.state is LessonState.SCHEDULED]


def test_the_three_printed_links_show_the_databases_own(demo_ctx, site, sign_in: SignIn):
    links = {invitation.role: invitation for invitation in demo.invitations(demo_ctx)}
    now = demo_ctx.now()

    teacher = sign_in(links[Role.TEACHER].url, 360)
    own = links[Role.TEACHER].actor.grants[0].teacher_id
    following = next(x for x in live_lessons(demo_ctx, teacher_id=own) if x.ends_at > now)
    start, end = following.starts_at.astimezone(ZONE), following.ends_at.astimezone(ZONE)
    hero = teacher.locator(".hero")
    expect(hero).to_contain_text(wording.span(start, end))
    expect(hero).to_contain_text(following.class_name)
    expect(hero).to_contain_text(following.school_name)

    school = sign_in(links[Role.SCHOOL].url)
    school_id = links[Role.SCHOOL].actor.grants[0].school_id
    first = monday(now.astimezone(ZONE).date())
    week = [
        lesson
        for lesson in live_lessons(demo_ctx, school_id=school_id)
        if first <= lesson.starts_at.astimezone(ZONE).date() < first + timedelta(days=7)
    ]
    for lesson in week:
        expect(school.locator("main")).to_contain_text(lesson.teacher_name)
    expect(school.locator("h1")).to_contain_text(str(len(week)))

    coordinator = sign_in(links[Role.COORDINATOR].url)
    coordinator.goto(f"{site}/coordinator/term")
    count = wording.number(len(live_lessons(demo_ctx)), Language.VI)
    expect(coordinator.locator("h1")).to_contain_text(count)
    for figure in ("203", "122", "17", "168"):
        expect(coordinator.locator(".figs").get_by_text(figure, exact=True).first).to_be_visible()


def test_a_request_becomes_a_lesson_in_the_teachers_calendar(demo_ctx, site, sign_in: SignIn):
    links = {invitation.role: invitation for invitation in demo.invitations(demo_ctx)}
    school = sign_in(links[Role.SCHOOL].url)
    class_name = ask_for_lessons(school)
    known = {lesson.id for lesson in live_lessons(demo_ctx)}

    coordinator = sign_in(links[Role.COORDINATOR].url)
    with no_complaints(coordinator):
        match_and_publish(coordinator, site)

    fresh = [x for x in live_lessons(demo_ctx) if x.id not in known and x.class_name == class_name]
    assert fresh, "the new request got no lesson"
    school.goto(f"{site}/school?week={fresh[0].starts_at.astimezone(ZONE).date()}")
    expect(school.locator("main")).to_contain_text(fresh[0].teacher_name)

    teacher = next(
        a
        for a in accounts.people_with(demo_ctx, Role.TEACHER)
        if a.person_id == fresh[0].teacher_person_id
    )
    url = subscribe(sign_in(accounts.operator_link(demo_ctx, teacher.email), 360), site)
    wanted = {f"lesson-{x.uid}" for x in fresh if x.teacher_id == fresh[0].teacher_id}
    soon(lambda: wanted <= uids(url))
    soon(lambda: any(class_name in text for text in mails_to(demo_ctx, teacher.email)))


def ask_for_lessons(page: Page) -> str:
    """Ask for one lesson a week from next week on, at any time; the class asked for."""
    page.goto(page.url.split("/school")[0] + "/school/requests")
    class_name = page.locator("select[name=class_name] option").nth(1).get_attribute("value")
    page.select_option("select[name=class_name]", class_name)
    page.select_option("select[name=lessons_per_week]", "1")
    page.fill("input[name=first_day]", "09/10/2023")
    page.fill("input[name=last_day]", "05/11/2023")
    for cell in page.locator("select[name^=slot-]").all():
        cell.select_option("1")
    page.click("form[action^='/school/requests?'] button")
    expect(page.locator("#status")).to_contain_text(class_name)
    return class_name


def match_and_publish(page: Page, site: str) -> None:
    page.goto(f"{site}/coordinator/matching")
    page.locator("input[name=seconds][value='10']").check(force=True)
    chosen = page.locator("input[name=seconds]:checked")
    chosen.evaluate("choice => { choice.value = '2' }")  # nobody here waits for a better plan
    page.click("form[action^='/coordinator/matching?'] button")
    page.locator("#run a.go").click(timeout=60_000)
    page.wait_for_url(re.compile(r"/coordinator/plans/\d+"))
    page.click("form[action$='/publish'] button")
    expect(page.locator("form[action$='/publish']")).to_have_count(0)
    page.click("form[action$='/news/now'] button")


def subscribe(page: Page, site: str) -> str:
    """Make a calendar link; its address stands on the page once."""
    page.goto(f"{site}/calendar")
    page.locator("button[name=device]").first.click()
    url = page.locator("#url").inner_text()
    page.goto(f"{site}/calendar")
    expect(page.locator("#url")).to_have_count(0)
    return url


def uids(url: str) -> set[str]:
    """The UIDs that a calendar client reads at this moment."""
    answer = httpx2.get(url)
    assert answer.status_code == 200
    events = icalendar.Calendar.from_ical(answer.text).walk("VEVENT")
    return {str(event["UID"]).split("@")[0] for event in events}


def mails_to(ctx: Context, address: str) -> list[str]:
    """The texts that the loop has sent to the address."""
    return [mail.text for mail in outbox.mails(ctx) if address in mail.to]


def soon(condition: Callable[[], bool]) -> None:
    """Wait until the loop has done its part, at most half a minute."""
    for _ in range(150):
        if condition():
            return
        time.sleep(0.2)
    assert condition()
