"""What pictures and tests of pages add to the demo: people of every role, and something to see."""

import io
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

import openpyxl
import sqlalchemy as sa

from bench import mailed
from scheduler import clock, config, security
from scheduler.domain.access import Actor, Role
from scheduler.domain.answers import Excuse, Reason, Reply
from scheduler.domain.calendars import FeedKind
from scheduler.domain.intervals import DaySpan
from scheduler.domain.invitations import Place
from scheduler.domain.partnerships import Binding, Terms
from scheduler.domain.webhooks import Event
from scheduler.jobs import loop
from scheduler.services import (
    accounts,
    address_changes,
    answers,
    demo,
    demo_meetings,
    disruptions,
    feeds,
    invitations,
    links,
    outbox,
    partnerships,
    uploads,
    webhooks,
)
from scheduler.services.context import Context
from scheduler.services.invitations import Wanted
from scheduler.store import accounts as account_rows
from scheduler.store import addresses, factors, feed_links, lessons, tables, terms

VISITOR = "visitor"
TEACHER, SCHOOL, HEAD, COORDINATOR = "teacher", "school", "head", "coordinator"
ASKED, SWAPPING = "asked", "swapping"  # teachers who have an offer, and a swap to answer
SETTING_UP, SHOWING = "setting-up", "showing"  # coordinators on the way to their second factor
AHEAD = timedelta(minutes=10)
PATIENCE = 60.0  # seconds until the first mail is sent


@dataclass(frozen=True, slots=True)
class Seeds:
    people: dict[str, Actor]
    keyed: dict[str, str]  # addresses that hold a key, by the route's path
    code: str  # of a certificate


def sow(ctx: Context) -> Seeds:
    """Give the demo something to look at on every page.  Changes it: call it once, before its loop
    runs (what has been sent is no longer known by its key)."""
    subscribe(ctx)
    trouble(ctx)
    first = {each.role: each.actor for each in demo.invitations(ctx)}
    people = {TEACHER: first[Role.TEACHER], SCHOOL: first[Role.SCHOOL]}
    people[COORDINATOR] = people[SHOWING] = accounts.operator(ctx)
    people[HEAD] = _head(ctx, people[TEACHER])
    partner(ctx, people[COORDINATOR])
    close(ctx, people[COORDINATOR])
    tell(ctx, people[COORDINATOR])
    people[SETTING_UP] = accounts.add_user(ctx, "le.khoi@chungtay.example", Role.COORDINATOR)
    _factor(ctx, people[COORDINATOR])
    found = mailed.pages(ctx)
    people[ASKED] = _teacher(ctx, tables.offers.c.teacher_id)
    people[SWAPPING] = _teacher(ctx, tables.swaps.c.asked_id)
    uploads.receive(ctx, people[COORDINATOR], [_list()])
    code = urlsplit(found["verify"]).path.rpartition("/")[2]
    accounts.request_sign_in(ctx, people[TEACHER].email)
    return Seeds(people, {**_keyed(ctx, people, found)}, code)


def _list() -> tuple[str, bytes]:
    """The example's teachers, one by another name, as an office may send them again."""
    path = config.data_dir("examples") / "giao-vien-tinh-nguyen.xlsx"
    book, made = openpyxl.load_workbook(path), io.BytesIO()
    book.worksheets[0]["B7"] = "Phan Minh Hải Yến"
    book.save(made)
    return path.name, made.getvalue()


def before_a_lesson(ctx: Context) -> Context:
    """The same demo some minutes before a lesson, so that its sides can check in: when that is
    depends on the plan that the search found in the time it had."""
    with ctx.reading() as db:
        ahead = lessons.find(db, since=ctx.now() + AHEAD, until=ctx.now() + timedelta(days=1))
    first = min(lesson.starts_at for lesson in ahead)
    return replace(ctx, clock=clock.ShiftedClock.starting_at(first - AHEAD))


def post(ctx: Context) -> None:
    """Let what is due be sent, so that the demo's mailbox has something in it."""
    running = loop.start(ctx)
    end = clock.monotonic() + PATIENCE
    while not outbox.mails(ctx) and clock.monotonic() < end:
        time.sleep(0.1)
    running.stop()


def _keyed(ctx: Context, people: dict[str, Actor], found: dict[str, str]) -> dict[str, str]:
    teacher = people[TEACHER]
    with ctx.reading() as db:
        own = lessons.find(db, teacher_id=teacher.grants[0].teacher_id, since=ctx.now())
    ahead = next(each for each in own if each.starts_at > ctx.now())
    school = people[SCHOOL].grants[0]
    wanted = Place(Role.SCHOOL, school.programme_id, school.school_id)
    guest = Wanted("mai.lan@thcs-b.example", "Nguyễn Thị Mai Lan", "vi", wanted)
    invitations.invite(ctx, people[COORDINATOR], guest)
    address_changes.ask(ctx, teacher, "hoa.moi@thcs-b.example")
    urls = {
        "/sign-in/{token}": _link(ctx),
        "/invitation/{token}": _told(ctx, "/invitation/"),
        "/address/{token}": _told(ctx, "/address/"),
        "/j/{token}": f"/j/{own[-1].join_token}",  # the room of the next one is open: no page
        "/stop/{token}": links.stop_url(ctx, teacher.person_id),
        "/a/{token}": links.answer_url(ctx, ahead, teacher.person_id),
        "/r/{token}": found["report-teacher"],
        "/c/{token}": found["check-in"],
        "/o/{token}": found["offer"],
        "/w/{token}": found["swap"],
    }
    return {path: urlsplit(url).path for path, url in urls.items()}


def _link(ctx: Context) -> str:
    """Of somebody who is on no tour: who signs in by another link ends the one before."""
    other = accounts.people_with(ctx, Role.TEACHER)[-1]
    return accounts.operator_link(ctx, other.email, demo.LINK_LIFE)


def _told(ctx: Context, room: str) -> str:
    """The address in the newest message that leads to such a page."""
    row = tables.outbox.c
    with ctx.reading() as db:
        told = db.scalars(sa.select(row.payload).order_by(row.id.desc())).all()
    urls = (str(outbox.opened(ctx, each).get("url", "")) for each in told)
    return next(url for url in urls if room in url)


def _head(ctx: Context, teacher: Actor) -> Actor:
    """The head of that teacher's school, by an invitation."""
    row = tables.teachers.c
    grant = teacher.grants[0]
    with ctx.reading() as db:
        school = db.scalars(sa.select(row.donor_school_id).where(row.id == grant.teacher_id)).one()
    place = Place(Role.DONOR_HEAD, grant.programme_id, None, school)
    guest = Wanted("bui.hanh@thcs-a.example", "Bùi Thị Hồng Hạnh", "vi", place)
    invitations.invite(ctx, accounts.operator(ctx), guest)
    invitations.accept(ctx, _told(ctx, "/invitation/").rpartition("/")[2])
    return accounts.people_with(ctx, Role.DONOR_HEAD)[0]


def _teacher(ctx: Context, whose: sa.Column[int]) -> Actor:
    with ctx.reading() as db:
        number = db.scalars(sa.select(whose).order_by(whose.table.c.id)).first()
    everybody = accounts.people_with(ctx, Role.TEACHER)
    return next(x for x in everybody if any(g.teacher_id == number for g in x.grants))


def _factor(ctx: Context, actor: Actor) -> None:
    with ctx.transaction() as db:
        sealed = security.seal(ctx.key, "JBSWY3DPEHPK3PXP")
        factors.put_app(db, actor.person_id, sealed, 0, ctx.now())
        factors.add_passkey(db, actor.person_id, "k" * 22, b"k", 0, "Firefox", ctx.now())


def enter(ctx: Context, people: dict[str, Actor]) -> dict[str, str]:
    """A session for each reader, the second factor shown but by those on their way to it."""
    found = {}
    for reader, actor in people.items():
        key = accounts.operator_link(ctx, actor.email, demo.LINK_LIFE).rpartition("/")[2]
        found[reader] = accounts.sign_in(ctx, key, "", "Chrome/126 Linux").token
        if reader not in (SETTING_UP, SHOWING):
            with ctx.transaction() as db:
                newest = db.scalar(sa.select(sa.func.max(tables.sessions.c.id)))
                account_rows.prove(db, newest or 0, ctx.now())
    return found


def partner(ctx: Context, coordinator: Actor) -> None:
    """Two pairs of units, one of which searches go by, and one that meets."""
    demo_meetings.add(ctx)
    units = partnerships.desk(ctx, coordinator)
    there = {(x.partnership.terms.donor_unit, x.partnership.terms.receiving_unit)
             for x in units.found}  # fmt: skip
    pairs = zip(units.donor_units, units.receiving_units, strict=False)
    both = (pair for pair in pairs if pair not in there)
    for binding, (donor, receiver) in zip((Binding.WISH, Binding.NONE), both, strict=False):
        partnerships.add(ctx, coordinator, Terms(donor, receiver, 120, 2, binding))


def tell(ctx: Context, coordinator: Actor) -> None:
    """A program is told of lessons, and something is on its way to it."""
    address = "https://so-giao-duc.example/chung-tay"
    made = webhooks.add(ctx, coordinator, "Trang của Sở", address, [Event.PLAN_PUBLISHED])
    webhooks.test(ctx, coordinator, made.endpoint_id)


def close(ctx: Context, coordinator: Actor) -> None:
    """A school is closed on a day far ahead, on which it has no lessons."""
    with ctx.reading() as db:
        school = terms.schools(db, coordinator.grants[0].programme_id)[-1]
    sunday = (ctx.now() + timedelta(days=34 - ctx.now().weekday())).date()
    asked = disruptions.closure_of(
        ctx, coordinator, DaySpan(sunday, sunday), "Sửa đường điện", codes=[school.code]
    )
    seen = disruptions.preview(ctx, coordinator, asked).fingerprint
    disruptions.apply(ctx, coordinator, asked, seen)


def trouble(ctx: Context) -> None:
    """A teacher who cannot come, and an address at which nobody is."""
    ill, gone = (accounts.people_with(ctx, Role.TEACHER)[n] for n in (7, 9))
    teacher_id = ill.grants[0].teacher_id
    with ctx.transaction() as db:
        ahead = lessons.find(db, teacher_id=teacher_id, since=ctx.now())
        reply = "550 5.1.1 The email account that you tried to reach does not exist."
        addresses.mark(db, gone.person_id, gone.email, reply, ctx.now())
    lesson = next(x for x in ahead if x.starts_at > ctx.now())
    answers.reply(ctx, answers.of_actor(ill, lesson.id), Reply.CANNOT, Excuse(Reason.SICK))


def subscribe(ctx: Context) -> None:
    """Links of the teachers, read by programs of every kind; the first of them has two."""
    programs = ("Apple", "Google", "Outlook", "ICSx5", "")
    teachers = accounts.people_with(ctx, Role.TEACHER)
    first = next(x for x in demo.invitations(ctx) if x.role is Role.TEACHER).actor
    reads = {}
    for n, teacher in enumerate([first, first, *teachers[:60]]):
        owner = int(teacher.grants[0].teacher_id or 0)
        link = feeds.create_link(
            ctx, teacher, FeedKind.TEACHER, owner, f"máy {n + 1}", alarms=n == 0
        )
        if n % 7 != 6:
            reads[link.link_id] = (n + 1, ctx.now() - timedelta(hours=n % 30), programs[n % 5])
    with ctx.transaction() as db:
        feed_links.stamp_reads(db, reads)
