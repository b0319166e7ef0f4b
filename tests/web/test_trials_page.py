"""A fix of a gap tried in a click: a draft that supposes it, published once it is so."""

import re
from datetime import date

import pytest
import sqlalchemy as sa

from scheduler.domain.plans import Fix, FixKind, PlanOrigin, PlanState, Supposition
from scheduler.domain.runs import RunState
from scheduler.errors import Conflict, NotFound
from scheduler.services import hours, plans, requests, runs, trials
from scheduler.store import plans as rows
from scheduler.store import suppositions, tables
from tests.cast import minutes
from tests.planning import WEDNESDAY, timetable
from tests.web.cast_desk import plain, queries


def change(ctx, table, where, **values):
    with ctx.transaction() as db:
        db.execute(sa.update(table).where(where).values(**values))


def pledge_of(ctx, cast, teacher):
    mine = tables.pledges.c.teacher_id == cast[teacher]
    with ctx.reading() as db:
        return db.scalar(sa.select(tables.pledges.c.id).where(mine))


def one_teacher(ctx, cast):
    """Only the first teacher gives lessons, and one a week: one of the two classes has none."""
    change(ctx, tables.pledges, tables.pledges.c.teacher_id == cast["teacher1"], max_per_week=1)
    mine = tables.pledge_levels.c.pledge_id == pledge_of(ctx, cast, "teacher2")
    change(ctx, tables.pledge_levels, mine, level="primary")


def only_on(ctx, cast, weekday):
    """Both teachers come on that weekday only, which no class accepts."""
    with ctx.transaction() as db:
        db.execute(sa.delete(tables.availability).where(tables.availability.c.weekday != weekday))


def found(ctx, cast):
    """The plan that the engine makes of it."""
    run = runs.work_here(ctx, runs.start(ctx, cast.actors["coordinator"], cast["term"], 1.0))
    return run.plan_id


def lacking(ctx, cast, klass, kind, **more):
    """A plan of the engine, and in it a gap of the class with this fix."""
    plan_id, fix = found(ctx, cast), Fix(kind, 1, **more)
    values = {
        "request_id": cast[f"request_{klass}"],
        "week": WEDNESDAY,
        "missing": 1,
        "reasons": {},
    }
    with ctx.transaction() as db:
        db.execute(sa.delete(tables.plan_gaps))
        kept = [suppositions.fix_kept(fix)]
        db.execute(tables.plan_gaps.insert().values(plan_id=plan_id, fixes=kept, **values))
    return plan_id


def lacking_week(ctx, cast):
    """One of two classes has no teacher: she could give one lesson more a week."""
    one_teacher(ctx, cast)
    teacher = cast["teacher1"]
    return lacking(ctx, cast, "7A", FixKind.WEEK_LIMIT, teacher_id=teacher, limit=2)


def lacking_time(ctx, cast, klass="7A"):
    """Both teachers come at a time that the class does not accept."""
    only_on(ctx, cast, 1)
    start = minutes("07:30")
    return lacking(ctx, cast, klass, FixKind.SLOT, weekday=1, start=start, end=start + 45)


def seen(ctx, cast, plan_id):
    return plans.preview(ctx, cast.actors["coordinator"], plan_id)


def fix_of(ctx, cast, plan_id, kind):
    """The request that has such a fix."""
    return next(
        (gap.request.id, line.fix)
        for gap in seen(ctx, cast, plan_id).gaps
        for line in gap.fixes
        if line.fix.kind is kind
    )


def tried(ctx, cast, browser, plan_id, kind):
    """The draft that the click leads to."""
    request, fix = fix_of(ctx, cast, plan_id, kind)
    here = f"/coordinator/plans/{plan_id}"
    page = browser.see(here)
    assert f'action="{here}/gaps/{request}/try"' in page.text
    answer = browser.submit(f"{here}/gaps/{request}/try", {"kind": kind.value})
    assert answer.status_code == 303
    run_page = browser.see(answer.headers["location"])
    assert "Đang thử một thay đổi" in run_page.text
    run = runs.work_here(ctx)
    assert run.state is RunState.DONE, run.error
    return run.plan_id, fix


def publish(ctx, cast, browser, plan_id):
    fingerprint = seen(ctx, cast, plan_id).fingerprint
    browser.see(f"/coordinator/plans/{plan_id}")
    return browser.submit(f"/coordinator/plans/{plan_id}/publish", {"seen": fingerprint})


def test_one_lesson_more_a_week_is_tried_and_published_once_its_teacher_says_so(ctx, cast, site):
    browser = site.of(cast.actors["coordinator"])
    parent = lacking_week(ctx, cast)
    assert seen(ctx, cast, parent).plan.taught == 13
    made, fix = tried(ctx, cast, browser, parent, FixKind.WEEK_LIMIT)
    draft = seen(ctx, cast, made)
    assert (draft.plan.origin, draft.plan.state) == (PlanOrigin.TRIAL, PlanState.DRAFT)
    assert (draft.plan.taught, draft.plan.is_proved, fix.limit) == (26, False, 2)
    page = browser.see(f"/coordinator/plans/{made}")
    assert "Bản nháp này giả định" in page.text
    assert "Cô teacher1 dạy tới 2 tiết mỗi tuần." in plain(page)
    assert f"/coordinator/matching/compare?plan={parent}&amp;plan={made}" in page.text
    beside = browser.see(f"/coordinator/matching/compare?plan={parent}&plan={made}")
    assert plain(beside).count("có giả định một thay đổi") == 1
    assert "btn go" not in page.text
    assert "ghi nhận" not in page.text.split("<aside")[0].split('id="supposed"')[1][:900]
    refused = publish(ctx, cast, browser, made)
    assert refused.status_code == 409
    assert timetable(ctx, cast) == ()
    change(ctx, tables.pledges, tables.pledges.c.teacher_id == cast["teacher1"], max_per_week=2)
    assert browser.see(f"/coordinator/plans/{made}").text.count("btn go") == 1
    assert publish(ctx, cast, browser, made).status_code == 303
    assert len(timetable(ctx, cast)) == 26
    assert runs.verdict(ctx, cast["term"]).violations == ()


def test_one_more_time_of_a_class_is_entered_from_the_draft(ctx, cast, site):
    browser = site.of(cast.actors["coordinator"])
    parent = lacking_time(ctx, cast)
    assert seen(ctx, cast, parent).plan.taught == 0
    made, fix = tried(ctx, cast, browser, parent, FixKind.SLOT)
    assert seen(ctx, cast, made).plan.taught == 13
    page = browser.see(f"/coordinator/plans/{made}")
    assert "btn go" not in page.text
    enter = re.search(r'action="(/coordinator/plans/\d+/supposed/1)"', page.text)[1]
    for _ in range(2):
        assert browser.submit(enter, {}).status_code == 303
    request, _ = seen(ctx, cast, made).supposed[0].request, fix
    slots = {(slot.weekday, slot.start) for slot in request.slots}
    assert len(request.slots) == len(slots) == 4
    assert (fix.weekday, fix.start) in slots
    assert publish(ctx, cast, browser, made).status_code == 303
    assert len(timetable(ctx, cast)) == 13


def test_one_room_more_is_entered_with_the_hours_of_the_school(ctx, cast, site):
    coordinator = cast.actors["coordinator"]
    plan_id = found(ctx, cast)
    fix = Fix(FixKind.ROOM, 1, limit=2)
    with ctx.transaction() as db:
        one = Supposition(plan_id, cast["request_7A"], fix)
        rows.agree(db, plan_id, [one])
    with pytest.raises(Conflict, match="supposes"):
        plans.publish(ctx, coordinator, plan_id, seen(ctx, cast, plan_id).fingerprint)
    trials.make_so(ctx, coordinator, plan_id, 0)
    assert hours.desk(ctx, coordinator, cast["A"]).school.rooms == 2
    plans.publish(ctx, coordinator, plan_id, seen(ctx, cast, plan_id).fingerprint)


def test_what_is_tried_twice_is_one_run_and_adds_to_what_was_tried_before(ctx, cast, site):
    coordinator = cast.actors["coordinator"]
    parent = lacking_time(ctx, cast)
    request, _ = fix_of(ctx, cast, parent, FixKind.SLOT)
    first = trials.start(ctx, coordinator, parent, request, FixKind.SLOT)
    assert trials.start(ctx, coordinator, parent, request, FixKind.SLOT) == first
    made = runs.work_here(ctx).plan_id
    assert trials.start(ctx, coordinator, parent, request, FixKind.SLOT) == first
    other, fix = cast["request_8B"], fix_of(ctx, cast, parent, FixKind.SLOT)[1]
    with ctx.transaction() as db:
        moved = sa.update(tables.plan_gaps).values(
            plan_id=made, request_id=other, fixes=[suppositions.fix_kept(fix)]
        )
        db.execute(sa.delete(tables.plan_gaps).where(tables.plan_gaps.c.plan_id == made))
        db.execute(moved)
    trials.start(ctx, coordinator, made, other, FixKind.SLOT)
    both = seen(ctx, cast, runs.work_here(ctx).plan_id)
    assert (len(both.supposed), both.plan.taught) == (2, 26)
    assert [each.supposition.plan_id for each in both.supposed] == [parent, made]


def test_a_make_up_lesson_stands_beside_the_weekly_times_once_it_is_agreed(ctx, cast, site):
    browser = site.of(cast.actors["coordinator"])
    day, start = date(2023, 10, 10), minutes("07:30")
    with ctx.transaction() as db:  # a week without a day of the class
        for off in (4, 5):
            values = {"term_id": cast["term"], "day": date(2023, 10, off)}
            db.execute(tables.holidays.insert().values(values))
    parent = lacking(
        ctx, cast, "7A", FixKind.MAKE_UP, teacher_id=cast["teacher1"], start=start,
        end=start + 45, day=day,
    )  # fmt: skip
    made, fix = tried(ctx, cast, browser, parent, FixKind.MAKE_UP)
    with ctx.reading() as db:
        assert [(m.request_id, m.day) for m in rows.marks(db, made)] == [
            (cast["request_7A"], fix.day)
        ]
    assert publish(ctx, cast, browser, made).status_code == 409
    browser.see(f"/coordinator/plans/{made}")
    assert browser.submit(f"/coordinator/plans/{made}/supposed/1", {}).status_code == 303
    assert publish(ctx, cast, browser, made).status_code == 303
    assert fix.day in {lesson.starts_at.date() for lesson in timetable(ctx, cast)}
    again = found(ctx, cast)
    assert seen(ctx, cast, again).changes == 0


def test_a_draft_that_would_break_a_rule_by_now_is_not_published(ctx, cast, site):
    browser = site.of(cast.actors["coordinator"])
    made, _ = tried(ctx, cast, browser, lacking_week(ctx, cast), FixKind.WEEK_LIMIT)
    change(
        ctx, tables.pledges, tables.pledges.c.teacher_id == cast["teacher1"],
        max_per_week=2, max_total=20,
    )  # fmt: skip
    refused = publish(ctx, cast, browser, made)
    assert refused.status_code == 409
    assert "giáo viên" in plain(refused)
    assert timetable(ctx, cast) == ()


def test_a_draft_that_supposes_waits_for_nobody_and_ends_no_undo(ctx, cast, site, clock):
    browser = site.of(cast.actors["coordinator"])
    parent = lacking_week(ctx, cast)
    school = cast.actors["schoolB"]
    clock.forward(minutes=1)
    requests.withdraw(ctx, school, cast["request_8B"])
    clock.forward(minutes=1)
    made, _ = tried(ctx, cast, browser, parent, FixKind.WEEK_LIMIT)
    today = browser.see("/coordinator").text
    assert f"/coordinator/plans/{parent}" in today
    assert f"/coordinator/plans/{made}" not in today
    assert "có giả định một thay đổi" in browser.see("/coordinator/matching").text
    requests.restore(ctx, school, cast["request_8B"])
    requests.withdraw(ctx, school, cast["request_8B"])
    clock.forward(minutes=1)
    runs.work_here(ctx, runs.start(ctx, cast.actors["coordinator"], cast["term"], 1.0))
    with pytest.raises(Conflict):
        requests.restore(ctx, school, cast["request_8B"])


def test_what_a_teacher_must_say_is_not_entered_by_others(ctx, cast, site):
    coordinator, stranger = cast.actors["coordinator"], cast.actors["stranger"]
    browser = site.of(coordinator)
    parent = lacking_week(ctx, cast)
    request, _ = fix_of(ctx, cast, parent, FixKind.WEEK_LIMIT)
    with pytest.raises(NotFound):
        trials.start(ctx, stranger, parent, request, FixKind.WEEK_LIMIT)
    with pytest.raises(Conflict):
        trials.start(ctx, coordinator, parent, request, FixKind.ROOM)
    made, _ = tried(ctx, cast, browser, parent, FixKind.WEEK_LIMIT)
    with pytest.raises(Conflict, match="Ask"):
        trials.make_so(ctx, coordinator, made, 0)
    for who, number in ((stranger, 0), (coordinator, 1), (coordinator, -1)):
        with pytest.raises(NotFound):
            trials.make_so(ctx, who, made, number)


def test_a_plan_that_supposes_takes_as_many_queries_with_three_as_with_one(ctx, cast, site):
    browser = site.of(cast.actors["coordinator"])
    plan_id = found(ctx, cast)
    counts = []
    for n in (1, 3):
        fixes = [Fix(FixKind.SLOT, 1, weekday=d, start=450, end=495)
                 for d in range(n)]  # fmt: skip
        with ctx.transaction() as db:
            rows.agree(db, plan_id, [Supposition(plan_id, cast["request_7A"], f) for f in fixes])
        browser.see(f"/coordinator/plans/{plan_id}")
        with queries(ctx) as asked:
            page = browser.see(f"/coordinator/plans/{plan_id}")
        assert page.text.count("/supposed/") == n
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_somebody_new_is_not_tried_but_invited_with_what_is_wanted_at_hand(ctx, cast, site):
    browser = site.of(cast.actors["coordinator"])
    start = minutes("07:30")
    plan_id = lacking(
        ctx, cast, "7A", FixKind.NEW_TEACHER, weekday=3, start=start, end=start + 45
    )  # fmt: skip
    page = browser.see(f"/coordinator/plans/{plan_id}")
    assert "một người giả định" in plain(page)
    assert f"/gaps/{cast['request_7A']}/try" not in page.text
    invite = f"/coordinator/people/invite?plan={plan_id}&gap={cast['request_7A']}"
    assert f'href="{invite.replace("&", "&amp;")}"' in page.text
    form = browser.see(invite)
    assert "Đang cần cho lớp 7A, THCS A: một giáo viên mới" in plain(form)
    assert "Trung học cơ sở, Thứ Năm, sáng tiết 1 (07:30), Thứ Hai 02/10" in plain(form)
    assert 'value="teacher" selected' in form.text
    refused = browser.submit(invite, {"name": "Cô Mới", "email": "x"})
    assert refused.status_code == 422
    assert "Đang cần cho lớp 7A" in plain(refused)
    with ctx.transaction() as db:
        db.execute(sa.delete(tables.plan_gaps))
    assert "Đang cần" not in plain(browser.see(invite))
    assert site.of(cast.actors["stranger"]).get(invite).status_code == 404
