"""The record as coordinators read it: by person, deed, subject, days and words, and never a
stranger's; and refusals, which are noted without ever changing an answer."""

import ast
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import scheduler
from scheduler.domain.deeds import DEEDS, SUBJECTS
from scheduler.domain.joint_sessions import Wish
from scheduler.domain.limits import REFUSALS_NOTED_BY_PERSON
from scheduler.errors import Invalid, NotAllowed, NotFound
from scheduler.services import audit_search, audits, joint_sessions, lessons, partnerships
from scheduler.services.audit_search import PAGE, Search
from scheduler.store import audit_search as stored
from scheduler.store import audits as rows
from scheduler.store import tables
from tests.planning import A1, draft, publish, timetable
from tests.web.rights import PAIR

SOURCES = sorted(Path(scheduler.__file__).parent.rglob("*.py"))


def write(ctx, cast, *lines):
    """Lines (person or None, action, subject, number, reason)."""
    with ctx.transaction() as db:
        for who, action, subject, number, *reason in lines:
            person = cast[f"person_{who}"] if who else None
            rows.record(db, ctx.now(), person, action, subject, number, reason="".join(reason))


def found(ctx, cast, by="coordinator", **search):
    page = audit_search.find(ctx, cast.actors[by], Search(**search))
    return [(entry.line.action, entry.line.subject_id) for entry in page.entries]


@pytest.fixture
def three(ctx, cast):
    write(ctx, cast, ("teacher1", "absence", "teacher", cast["teacher1"]))
    ctx.clock.forward(days=1)
    write(ctx, cast, ("coordinator", "grant", "person", cast["person_teacher2"], "100% sure"))
    ctx.clock.forward(days=1)
    write(ctx, cast, (None, "import", "programme", cast["programme"], "a_b.xlsx"))


def test_the_newest_lines_come_first(ctx, cast, three):
    assert [action for action, _ in found(ctx, cast)] == ["import", "grant", "absence"]


@pytest.mark.parametrize(
    ("search", "actions"),
    [
        ({"who": "teacher1"}, ["absence"]),
        ({"who": "TEACHER2"}, ["grant"]),  # whom it is about, too
        ({"who": "teacher2@x.example"}, ["grant"]),
        ({"who": "%"}, []),
        ({"action": "grant"}, ["grant"]),
        ({"subject": "programme"}, ["import"]),
        ({"subject": "person", "subject_id": 2}, ["grant"]),
        ({"subject": "person", "subject_id": 1}, []),
        ({"words": "100%"}, ["grant"]),
        ({"words": "A_B"}, ["import"]),
        ({"words": "a%b"}, []),
        ({"first_day": date(2023, 10, 3)}, ["import", "grant"]),
        ({"last_day": date(2023, 10, 3)}, ["grant", "absence"]),
        ({"first_day": date(2023, 10, 3), "last_day": date(2023, 10, 3)}, ["grant"]),
    ],
)
def test_each_part_of_a_search_narrows_it(ctx, cast, three, search, actions):
    assert [action for action, _ in found(ctx, cast, **search)] == actions


def test_days_in_the_wrong_order_are_said_so(ctx, cast):
    with pytest.raises(Invalid):
        found(ctx, cast, first_day=date(2023, 10, 3), last_day=date(2023, 10, 2))


def test_pages_follow_one_another_without_gap_or_double(ctx, cast):
    write(ctx, cast, *((None, "import", "programme", cast["programme"]) for _ in range(2 * PAGE)))
    actor, seen, before = cast.actors["coordinator"], [], None
    for _ in range(2):
        page = audit_search.find(ctx, actor, Search(before=before))
        seen += [entry.line.id for entry in page.entries]
        before = page.older
    assert (seen, before) == (sorted(seen, reverse=True), None)
    assert len(set(seen)) == 2 * PAGE


def meeting(ctx, cast):
    by, starts = cast.actors["coordinator"], ctx.now() + timedelta(days=3)
    guests = frozenset({cast["person_teacher1"]})
    wish = Wish("Phát âm", starts, starts + timedelta(hours=1), None, guests)
    return joint_sessions.plan(ctx, by, partnerships.add(ctx, by, PAIR), wish)


def test_a_stranger_sees_nothing_of_another_programme(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1))
    [lesson] = timetable(ctx, cast)
    numbers = {"lesson": lesson.id, "person": cast["person_teacher1"], "teacher": cast["teacher1"],
               "school": cast["A"], "donor_school": 1, "request": cast["request_7A"], "plan": 1,
               "publication": 1, "programme": cast["programme"], "term": cast["term"]}  # fmt: skip
    with ctx.transaction() as db:
        db.execute(tables.runs.insert().values(id=1, term_id=cast["term"], state="cancelled",
                   asked_at=ctx.now(), seconds_limit=1, seed=1, elapsed=0, cancel_asked=False,
                   attempts=0))  # fmt: skip
        at = ctx.now()
        db.execute(tables.swaps.insert().values(id=1, given_id=lesson.id, given_sequence=0,
                   asker_id=1, wanted_id=lesson.id, wanted_sequence=0, asked_id=2, words="",
                   asked_at=at, deadline=at, ended_at=at, end="declined"))  # fmt: skip
        db.execute(tables.feeds.insert().values(id=1, kind="teacher", owner_id=1, language="vi",
                   show_cancelled=False, dirty=False))  # fmt: skip
        db.execute(tables.feed_links.insert().values(id=1, feed_id=1, name="", token_hash="x",
                   person_id=1, created_at=at, reads=0, client=""))  # fmt: skip
        db.execute(tables.certificates.insert().values(id=1, code="x", teacher_id=1,
                   first_day=at.date(), last_day=at.date(), name="", school="", programme="",
                   lessons=0, minutes=0, months=[], issued_at=at))  # fmt: skip
        db.execute(tables.invitations.insert().values(id=1, token_hash="x", email="n@x.example",
                   name="N", language="vi", role="coordinator", programme_id=cast["programme"],
                   created_at=at, expires_at=at))  # fmt: skip
        message = db.scalar(sa.select(sa.func.min(tables.outbox.c.id)))
    numbers |= {"run": 1, "swap": 1, "feed_link": 1, "certificate": 1, "message": message}
    numbers |= {"invitation": 1, "joint_session": meeting(ctx, cast)}
    assert numbers.keys() == stored.SEEN_IN.keys()
    write(ctx, cast, *(("teacher1", "x", subject, n) for subject, n in numbers.items()))
    write(ctx, cast, ("teacher1", "x", "outbox", None), ("teacher1", "x", "unheard_of", 1))
    seen = audit_search.find(ctx, cast.actors["coordinator"], Search(action="x")).entries
    assert {entry.line.subject for entry in seen} == numbers.keys() | {"outbox"}
    assert found(ctx, cast, "stranger", action="x") == []


@pytest.mark.parametrize("who", ["teacher1", "schoolA"])
def test_the_record_is_for_coordinators(ctx, cast, who):
    with pytest.raises((NotFound, NotAllowed)):
        found(ctx, cast, who)


def test_a_page_takes_one_query_however_many_lines_there_are(ctx, cast):
    counts = []
    for lines in (1, 30):
        write(ctx, cast, *(("teacher1", "absence", "teacher", cast["teacher1"]),) * lines)
        said = []
        listener = lambda *a, said=said: said.append(a[2])  # noqa: E731
        sa.event.listen(ctx.database.reader, "before_cursor_execute", listener)
        found(ctx, cast)
        sa.event.remove(ctx.database.reader, "before_cursor_execute", listener)
        counts.append(len(said))
    assert counts[0] == counts[1]


def test_a_lesson_is_shown_as_it_stood_on_a_day(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1))
    [lesson] = timetable(ctx, cast)
    ctx.clock.forward(days=1)
    actor = cast.actors["coordinator"]
    lessons.call_off(ctx, actor, lesson.id, "bão")
    monday, tuesday = date(2023, 10, 2), date(2023, 10, 3)
    assert audit_search.lesson_on(ctx, actor, lesson.id, monday).then.state == "scheduled"
    then = audit_search.lesson_on(ctx, actor, lesson.id, tuesday)
    assert (then.then.state, [version.reason for version in then.versions]) == (
        "cancelled", ["", "bão"],
    )  # fmt: skip
    before = audit_search.lesson_on(ctx, actor, lesson.id, monday - timedelta(days=1))
    assert before.then is None
    with pytest.raises(NotFound):
        audit_search.lesson_on(ctx, cast.actors["stranger"], lesson.id, monday)


# -- words


def noted():
    """The actions and subjects that the code gives to the record, as far as they are written out:
    (kind, word)."""
    for path in SOURCES:
        if path.parent.name not in ("services", "jobs"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield from _told(node)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "action":
                yield from (("action", word) for word in _constants(node.value))


def _told(call):
    name = ast.unparse(call.func)
    if name.endswith(("audits.record", "rows.record")):
        for kind, place in (("action", 3), ("subject", 4)):
            if isinstance(call.args[place], ast.Constant):
                yield kind, call.args[place].value
    elif name in ("_record", "_each_news"):
        words = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
        yield from (("action", word) for word in words[:1] if isinstance(word, str))


def _constants(node):
    both = (node.body, node.orelse) if isinstance(node, ast.IfExp) else (node,)
    return [each.value for each in both if isinstance(each, ast.Constant)]


def test_every_deed_and_subject_of_the_code_has_its_words():
    told = set(noted())
    assert len(told) > 60  # a test of every deed must meet them
    actions = {word for kind, word in told if kind == "action"}
    assert actions - DEEDS.keys() - {"instance", "workbooks", "csv", "lessons"} == set()
    assert {word for kind, word in told if kind == "subject"} <= SUBJECTS.keys()
    assert SUBJECTS.keys() == stored.SEEN_IN.keys() | {"outbox", "key"}


# -- refusals


def test_refusals_are_noted_up_to_a_limit_and_never_break_the_answer(ctx, cast, monkeypatch):
    person = cast["person_teacher1"]
    for _ in range(REFUSALS_NOTED_BY_PERSON.burst + 5):
        audits.denied(ctx, person, "POST /x")
    with ctx.reading() as db:
        lines = db.execute(sa.select(tables.audits)).all()
    assert len(lines) == REFUSALS_NOTED_BY_PERSON.burst
    assert {(x.person_id, x.action, x.reason) for x in lines} == {(person, "denied", "POST /x")}
    monkeypatch.setattr(rows, "record", lambda *_args, **_more: 1 / 0)
    audits.denied(ctx, cast["person_teacher2"], "POST /x")
