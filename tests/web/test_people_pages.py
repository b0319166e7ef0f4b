"""Pages of people: inviting, accepting, taking away, leaving, another address, a donor school."""

import gzip
import re

import pytest
import sqlalchemy as sa

from scheduler.domain.access import Grant, Role
from scheduler.services import accounts, feeds, outbox
from scheduler.store import accounts as account_rows
from scheduler.store import tables
from tests import standins
from tests.web.browser import BASE
from tests.web.timetable import change, publish

NEW = "moi@x.example"
PEOPLE = "/coordinator/people"
SID = "__Host-sid"


@pytest.fixture
def donor(ctx, cast):
    with ctx.reading() as db:
        return db.scalar(sa.select(tables.donor_schools.c.id))


@pytest.fixture
def head(ctx, cast, donor):
    return admit(ctx, cast, "head@x.example", Role.DONOR_HEAD, donor_school_id=donor)


def admit(ctx, cast, email, role, **place):
    with ctx.transaction() as db:
        person = account_rows.ensure_person(
            db, email=email, name=f"Cô {email}", language="vi", now=ctx.now()
        )
        account_rows.add_grant(db, person, Grant(role, cast["programme"], **place))
        return account_rows.actor_of(db, person)


def invite(browser, cast, **fields):
    browser.see(f"{PEOPLE}/invite")
    given = {"name": "Lê Thị Mới", "email": NEW, "role": "school", "place": f"school-{cast['A']}",
             "language": "vi"}  # fmt: skip
    return browser.submit(f"{PEOPLE}/invite", given | fields)


def link(ctx, kind="invitation"):
    """The path in the newest mail of the kind."""
    query = sa.select(tables.outbox.c.payload).where(tables.outbox.c.kind == kind)
    with ctx.reading() as db:
        payload = db.scalar(query.order_by(tables.outbox.c.id.desc()).limit(1))
    return outbox.opened(ctx, payload)["url"].removeprefix(BASE)


def kinds(ctx):
    with ctx.reading() as db:
        return list(db.scalars(sa.select(tables.outbox.c.kind).order_by(tables.outbox.c.id)))


def email_of(ctx, person_id):
    with ctx.reading() as db:
        row = tables.persons.c
        return db.scalar(sa.select(row.email).where(row.id == person_id))


# -- invitations


def test_an_invited_person_comes_in_by_their_own_mailbox(ctx, cast, site, visitor):
    coordinator = site.of(cast.actors["coordinator"])
    assert invite(coordinator, cast).headers["location"] == PEOPLE
    path = link(ctx)
    page = visitor.see(path)
    for word in ("Cô coordinator", "Hà Nội – Yên Bái", "THCS A", "người liên hệ", NEW):
        assert word in page.text
    accepted = visitor.submit(path, {"accept": "yes"})
    assert accepted.status_code == 202
    assert SID not in visitor.cookies
    accounts.make_links(ctx)
    sign_in = link(ctx, "sign_in")
    assert visitor.submit(sign_in).status_code == 303
    assert visitor.get("/").headers["location"] == "/school"
    assert visitor.get("/school").status_code == 200


def test_looking_never_accepts_and_neither_does_a_form_that_a_mail_program_sends(
    ctx, cast, site, visitor
):
    invite(site.of(cast.actors["coordinator"]), cast)
    for _ in range(2):
        assert visitor.get(link(ctx)).status_code == 200
        assert visitor.head(link(ctx)).status_code == 200
        assert visitor.post(link(ctx), data={}).status_code == 200
    with ctx.reading() as db:
        assert not db.scalar(sa.select(tables.persons.c.id).where(tables.persons.c.email == NEW))


def test_the_page_is_in_the_language_of_the_invitation_until_its_reader_chooses(
    ctx, cast, site, visitor
):
    invite(site.of(cast.actors["coordinator"]), cast, language="en")
    assert '<html lang="en">' in visitor.see(link(ctx)).text
    visitor.submit("/language", {"language": "vi", "next": link(ctx)})
    assert '<html lang="vi">' in visitor.see(link(ctx)).text


def test_a_link_that_is_over_and_one_that_never_was_look_the_same(ctx, cast, site, visitor, clock):
    invite(site.of(cast.actors["coordinator"]), cast)
    path = link(ctx)
    clock.forward(days=7)
    over, never = visitor.get(path), visitor.get("/invitation/nothing")
    assert (over.status_code, never.status_code) == (410, 410)
    assert over.text.replace(path, "") == never.text.replace("/invitation/nothing", "")
    assert visitor.submit(path, {"accept": "yes"}).status_code == 410
    assert over.headers["referrer-policy"] == "no-referrer"


def test_who_accepts_when_no_more_links_are_sent_is_told_to_sign_in(ctx, cast, site, visitor):
    invite(site.of(cast.actors["coordinator"]), cast)
    path = link(ctx)
    for _ in range(5):
        accounts.request_sign_in(ctx, NEW)
    answer = visitor.submit(path, {"accept": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "Thầy cô đã nhận lời mời này" in visitor.get("/sign-in").text
    assert NEW in {each.email for each in accounts.people_with(ctx, Role.SCHOOL)}


def test_who_is_signed_in_as_somebody_else_stays_so(ctx, cast, site):
    invite(site.of(cast.actors["coordinator"]), cast)
    other = site.of(cast.actors["teacher1"])
    assert other.submit(link(ctx), {"accept": "yes"}).status_code == 202
    assert other.get("/teacher").status_code == 200


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"email": "x"}, "email"), ({"name": ""}, "name"), ({"role": "admin"}, "role"),
     ({"role": "teacher"}, "place"), ({"place": ""}, "place"), ({"place": "donor-1"}, "place"),
     ({"language": "xx"}, "language"), ({"email": "schoola@x.example"}, "email")],
)  # fmt: skip
def test_what_cannot_be_is_said_at_its_field(ctx, cast, site, wrong, field):
    answer = invite(site.of(cast.actors["coordinator"]), cast, **wrong)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert "invitation" not in kinds(ctx)


def test_a_school_that_is_not_there_is_not_found(ctx, cast, site):
    stranger = site.of(cast.actors["stranger"])
    assert invite(stranger, cast).status_code == 404
    assert invite(stranger, cast, place="school-99999").status_code == 404


def test_an_invitation_is_taken_back_from_the_list(ctx, cast, site, visitor):
    coordinator = site.of(cast.actors["coordinator"])
    invite(coordinator, cast)
    page = coordinator.see(PEOPLE)
    [action] = re.findall(r'action="(/coordinator/people/invitations/\d+/take-back)"', page.text)
    assert site.of(cast.actors["stranger"]).submit(action).status_code == 404
    assert coordinator.submit(action).headers["location"] == PEOPLE
    assert visitor.get(link(ctx)).status_code == 410
    assert action not in coordinator.get(PEOPLE).text


@pytest.mark.parametrize(
    ("who", "room"), [("schoolA", "/school/people"), ("head", "/donor-school/people")]
)
def test_a_colleague_of_the_same_school_is_invited_there(ctx, cast, site, head, who, room):
    browser = site.of(head if who == "head" else cast.actors[who])
    browser.see(room)
    fields = {"name": "Lê Thị Mới", "email": NEW, "language": "vi"}
    assert browser.submit(room, fields).headers["location"] == room
    page = browser.see(room)
    assert NEW in page.text
    [action] = re.findall(rf'action="({room}/invitations/\d+/take-back)"', page.text)
    assert site.of(cast.actors["schoolB"]).submit(action).status_code == 404
    assert browser.submit(action).status_code == 303
    assert browser.submit(room, fields | {"email": "x"}).status_code == 422


# -- one person, and going


def test_a_teacher_is_switched_off_after_a_look_at_what_that_means(ctx, cast, site):
    publish(ctx, cast, weeks=3)
    coordinator, teacher = site.of(cast.actors["coordinator"]), site.of(cast.actors["teacher1"])
    here = f"{PEOPLE}/{cast['person_teacher1']}"
    assert f"{here}/switch-off" in coordinator.get(here).text
    preview = coordinator.see(f"{here}/switch-off").text
    assert "3 tiết sắp tới sẽ tìm người dạy thay" in preview
    [seen] = re.findall(r'name="seen" value="([^"]+)"', preview)
    stale = coordinator.submit(f"{here}/switch-off", {"seen": "x"})
    assert stale.status_code == 409
    assert coordinator.submit(f"{here}/switch-off", {"seen": seen}).headers["location"] == here
    assert teacher.get("/teacher").status_code == 303
    assert "switch-on" in coordinator.see(here).text
    assert coordinator.submit(f"{here}/switch-on").status_code == 303
    assert teacher.get("/teacher").status_code == 303  # the old session does not come back
    assert site.of(cast.actors["teacher1"]).get("/teacher").status_code == 200


def test_a_role_is_taken_away_after_a_look(ctx, cast, site):
    coordinator = site.of(cast.actors["coordinator"])
    here = f"{PEOPLE}/{cast['person_schoolA']}"
    [action] = re.findall(rf'href="({here}/roles/\d+/remove)"', coordinator.get(here).text)
    preview = coordinator.see(action).text
    assert "THCS A" in preview
    [seen] = re.findall(r'name="seen" value="([^"]+)"', preview)
    assert coordinator.submit(action, {"seen": seen}).headers["location"] == PEOPLE
    assert coordinator.get(PEOPLE).status_code == 200
    assert coordinator.get(action).status_code == 404


def test_a_calendar_link_of_who_lost_the_role_says_gone(ctx, cast, site):
    teacher, coordinator = site.of(cast.actors["teacher1"]), site.of(cast.actors["coordinator"])
    path = feeds.link_for_person(ctx, "teacher1@x.example").removeprefix(BASE)
    assert teacher.get(path).status_code == 200
    here = f"{PEOPLE}/{cast['person_teacher1']}"
    [action] = re.findall(rf'href="({here}/roles/\d+/remove)"', coordinator.get(here).text)
    [seen] = re.findall(r'name="seen" value="([^"]+)"', coordinator.see(action).text)
    coordinator.submit(action, {"seen": seen})
    assert teacher.get(path).status_code == 410


def test_nobody_is_offered_to_switch_themselves_off(cast, site):
    coordinator = site.of(cast.actors["coordinator"])
    here = f"{PEOPLE}/{cast['person_coordinator']}"
    assert "/switch-off" not in coordinator.get(here).text
    assert coordinator.get(f"{here}/switch-off").status_code == 409
    assert coordinator.submit(f"{here}/switch-off").status_code == 409


def test_a_person_of_another_programme_is_as_one_who_is_not_there(cast, site):
    stranger = site.of(cast.actors["stranger"])
    there, nowhere = f"{PEOPLE}/{cast['person_teacher1']}", f"{PEOPLE}/99999"
    for more in ("", "/switch-off", "/roles/1/remove"):
        answers = stranger.get(there + more), stranger.get(nowhere + more)
        assert [each.status_code for each in answers] == [404, 404]
        assert answers[0].text.replace(there, nowhere) == answers[1].text
    assert "Cô teacher1" not in stranger.get(PEOPLE).text


def test_the_list_of_a_whole_programme_is_light(ctx, cast, site):
    for n in range(203):
        standins.join(ctx, cast, f"nguyen.thi.hong.hanh.{n}")
    browser = site.of(cast.actors["coordinator"])
    names = []
    for number in range(1, 6):
        page = browser.get(PEOPLE, params={"role": "teacher", "page": number})
        assert len(gzip.compress(page.content, 6)) < 8_000
        names += re.findall(r'<th scope="row"><a href="[^"]*">([^<]+)', page.text)
        shown = re.findall(
            r'href="/coordinator/people\?role=teacher&amp;page=(\d)#list"', page.text
        )
        assert [int(each) for each in shown] == [n for n in range(1, 6) if n != number]
    assert len(names) == len(set(names)) == 205
    assert "205 người" in page.text
    assert browser.get(PEOPLE, params={"page": 10**9}).status_code == 422


def test_the_search_is_kept_and_needs_no_marks(cast, site):
    page = site.of(cast.actors["coordinator"]).get(PEOPLE, params={"q": "ai mo", "role": "teacher"})
    assert 'value="ai mo"' in page.text
    assert page.text.count('<th scope="row">') == 2


def test_a_teacher_leaves_with_one_tick(ctx, cast, site):
    publish(ctx, cast, weeks=2)
    teacher = site.of(cast.actors["teacher1"])
    page = teacher.see("/account/leave").text
    assert "2 tiết sắp tới sẽ tìm người dạy thay" in page
    [action] = re.findall(r'action="(/account/leave/\d+)"', page)
    [seen] = re.findall(r'name="seen" value="([^"]+)"', page)
    assert (
        site.of(cast.actors["teacher2"]).submit(action, {"seen": seen, "sure": "yes"}).status_code
        == 404
    )
    assert teacher.submit(action, {"seen": seen}).status_code == 422
    assert teacher.submit(action, {"sure": "yes"}).status_code == 409
    left = teacher.submit(action, {"seen": seen, "sure": "yes"})
    assert left.headers["location"] == "/sign-in"
    assert teacher.get("/teacher").status_code == 303


def test_the_only_contact_of_a_school_reads_whom_to_ask(cast, site):
    page = site.of(cast.actors["schoolA"]).get("/account/leave").text
    assert "coordinator@x.example" in page
    assert "/account/leave/" not in page


# -- another address


def test_an_address_changes_when_the_new_mailbox_says_yes(ctx, cast, site, visitor):
    teacher = site.of(cast.actors["teacher1"])
    teacher.see("/account/address")
    assert teacher.submit("/account/address", {"email": "Neu@X.example"}).status_code == 303
    assert sorted(kinds(ctx)) == ["address_notice", "new_address"]
    path, who = link(ctx, "new_address"), cast["person_teacher1"]
    for _ in range(2):
        assert visitor.get(path).status_code == 200
        assert visitor.post(path, data={}).status_code == 200
    assert email_of(ctx, who) == "teacher1@x.example"
    assert visitor.submit(path, {"confirm": "yes"}).headers["location"] == "/sign-in"
    assert email_of(ctx, who) == "neu@x.example"
    assert teacher.get("/teacher").status_code == 303
    assert visitor.submit(path, {"confirm": "yes"}).status_code == 410
    assert SID not in visitor.cookies


def test_an_address_that_is_somebodys_gets_the_same_answer(ctx, cast, site):
    free, taken = site.of(cast.actors["teacher1"]), site.of(cast.actors["teacher2"])
    answers = []
    for browser, email in ((free, "new@x.example"), (taken, "schoola@x.example")):
        browser.see("/account/address")
        answer = browser.submit("/account/address", {"email": email})
        page = browser.get("/account/address").text
        answers.append((answer.status_code, answer.headers["location"], page.count("note ok")))
    assert answers[0] == answers[1]
    assert sorted(kinds(ctx)) == [*["address_notice"] * 3, "new_address"]


@pytest.mark.parametrize("email", ["", "x", "a@x.example, b@x.example", "teacher1@x.example"])
def test_what_is_no_new_address_is_said_at_the_field(ctx, cast, site, email):
    teacher = site.of(cast.actors["teacher1"])
    teacher.see("/account/address")
    answer = teacher.submit("/account/address", {"email": email})
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert kinds(ctx) == []


# -- a donor school


def test_a_head_sees_the_lessons_of_her_teachers_and_no_excuse(ctx, cast, site, head):
    first, second = publish(ctx, cast, weeks=2)
    standins.cannot(ctx, cast, first.id)
    change(ctx, second, cancel_reason="bí mật")
    browser = site.of(head)
    assert browser.get("/").headers["location"] == "/donor-school"
    page = browser.get("/donor-school").text
    for word in ("THCS Ái Mộ", "Cô teacher1", "7A", "THCS A", "Cần người dạy thay"):
        assert word in page
    assert "ốm" not in page.casefold().replace("nốm", "")
    [after] = re.findall(r'rel="next" href="([^"]+)"', page)
    following = browser.get(after.replace("&amp;", "&")).text
    assert "Cô teacher1" in following
    assert "bí mật" not in following


def test_a_donor_school_of_somebody_else_is_not_there(ctx, cast, site, head, donor):
    other = standins.school(ctx, cast, "THCS Khác")
    browser = site.of(head)
    assert browser.get(f"/donor-school?school={other}").status_code == 404
    assert browser.get("/donor-school?school=99999").status_code == 404
    for who in ("teacher1", "schoolA", "coordinator", "stranger"):
        assert site.of(cast.actors[who]).get(f"/donor-school?school={donor}").status_code == 404


def test_pages_open_in_both_languages(ctx, cast, site, head):
    publish(ctx, cast)
    visits = {
        "coordinator": [PEOPLE, f"{PEOPLE}/invite", f"{PEOPLE}/1", f"{PEOPLE}/1/switch-off"],
        "schoolA": ["/school/people", "/account/leave", "/account/address"],
        "head": ["/donor-school", "/donor-school/people", "/calendar"],
    }
    for who, paths in visits.items():
        browser = site.of(head if who == "head" else cast.actors[who])
        for language in ("vi", "en"):
            browser.submit("/language", {"language": language, "next": "/"})
            for path in paths:
                page = browser.get(path)
                assert (path, page.status_code) == (path, 200)
                assert f'<html lang="{language}">' in page.text


def test_a_link_of_no_use_says_so_in_the_language_of_the_house(cast, visitor):
    page = visitor.get("/address/nothing")
    assert page.status_code == 410
    assert "Liên kết này không còn dùng được. Thầy cô hãy yêu cầu đổi địa chỉ lại" in page.text
