"""Subscribing to calendars: secret links, and keeping the stored feeds up to date."""

import gzip
import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from weakref import WeakKeyDictionary

from scheduler import security
from scheduler.config import Settings
from scheduler.delivery import ical
from scheduler.domain import calendars
from scheduler.domain.access import Actor, Role
from scheduler.domain.calendars import FeedKey, FeedKind, FeedLink, Owner, Seats, Shown
from scheduler.domain.lessons import Handover, Lesson
from scheduler.domain.limits import READS_BY_LINK, instant, milliseconds
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import Conflict, Invalid, NotFound, text
from scheduler.locale import LANGUAGES, Language, translate
from scheduler.services import calendars as wordings
from scheduler.services.context import Context
from scheduler.store import (
    accounts,
    audits,
    feed_links,
    feeds,
    joint_sessions,
    lessons,
    limits,
    people,
)
from scheduler.store.database import Database, Session
from scheduler.store.feed_links import Reader
from scheduler.store.feeds import Body, Claim

MOST_LINKS = 30
FLUSH_EVERY = timedelta(minutes=1)
_SQUEEZE = 6


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link just made: the only moment at which its token is known."""

    token: str
    url: str
    webcal_url: str
    link_id: int


@dataclass(frozen=True, slots=True)
class Totals:
    """How many feeds there are and how many events they hold together."""

    feeds: int
    events: int


def create_link(
    ctx: Context,
    actor: Actor,
    kind: FeedKind,
    owner_id: int,
    name: str,
    *,
    language: str | None = None,
    show_cancelled: bool = False,
    zoned: bool = False,
    alarms: bool = False,
) -> NewLink:
    """A new secret address of a feed, named after the device it is for.

    Raises NotFound for a feed that is not the actor's to read, Invalid for a name that is empty or
    too long or a language we do not speak, Conflict when the actor has too many links.
    """
    name = _checked_name(name)
    chosen = language or actor.language
    if chosen not in LANGUAGES:
        raise Invalid("Choose Vietnamese or English.")
    with ctx.transaction() as db:
        owner = _readable(db, actor, kind, owner_id)
        if len(feed_links.of_person(db, actor.person_id)) >= MOST_LINKS:
            raise Conflict(
                text("You have {count} calendar links. End one first.", count=MOST_LINKS)
            )
        key = FeedKey(kind, owner_id, chosen, show_cancelled, zoned, alarms)
        return _link(ctx, db, actor, owner, key, name)


def _checked_name(name: str) -> str:
    plain = ical.clean(name).strip()
    if not plain or len(plain) > calendars.LONGEST_NAME:
        fault = text("Write 1 to {most} letters.", most=calendars.LONGEST_NAME)
        raise Invalid("Give the link a name, for example: my phone.", fields={"name": fault})
    return plain


def _readable(db: Session, actor: Actor, kind: FeedKind, owner_id: int) -> Owner:
    owner = feeds.owner(db, kind, owner_id)
    if owner is None or not any(owner.opens_to(grant) for grant in actor.grants):
        raise NotFound("There is no such calendar here.")
    return owner


def _link(
    ctx: Context, db: Session, actor: Actor, owner: Owner, key: FeedKey, name: str
) -> NewLink:
    token, now = security.new_token(), ctx.now()
    link_id = feed_links.add(
        db,
        feed_id=feeds.ensure(db, key),
        person_id=actor.person_id,
        name=name,
        token_hash=security.digest(token),
        now=now,
    )
    about = {"kind": key.kind, "owner_id": key.owner_id, "name": name}
    audits.record(db, now, actor.person_id, "make_link", "feed_link", link_id, after=about)
    slug = calendars.slug(wordings.calendar_name(owner))
    url = f"{ctx.settings.base_url}/feeds/{token}/{slug}.ics"
    return NewLink(token, url, f"webcal://{url.split('://', 1)[-1]}", link_id)


def links_of(ctx: Context, actor: Actor) -> tuple[FeedLink, ...]:
    """The actor's live links; when and by whom each was last read lags by up to a minute."""
    with ctx.reading() as db:
        return feed_links.of_person(db, actor.person_id)


def revoke_link(ctx: Context, actor: Actor, link_id: int, *, farewell: bool = False) -> None:
    """End one of the actor's own links: its next read is refused, with a last event if wished."""
    with ctx.transaction() as db:
        _end(ctx, db, actor, link_id, farewell=farewell)


def _end(ctx: Context, db: Session, actor: Actor, link_id: int, *, farewell: bool = False) -> None:
    now = ctx.now()
    if not feed_links.revoke(db, link_id, actor.person_id, now, farewell=farewell):
        raise NotFound("There is no such calendar link.")
    audits.record(db, now, actor.person_id, "end_link", "feed_link", link_id)


def replace_link(ctx: Context, actor: Actor, link_id: int) -> NewLink:
    """A new address in place of one of the actor's: same calendar, same name; the old one ends.

    For an address that others have seen, and for a program that keeps an old copy for each.
    """
    with ctx.transaction() as db:
        old = next((x for x in feed_links.of_person(db, actor.person_id) if x.id == link_id), None)
        if old is None:
            raise NotFound("There is no such calendar link.")
        owner = _readable(db, actor, old.key.kind, old.key.owner_id)
        _end(ctx, db, actor, link_id)
        return _link(ctx, db, actor, owner, old.key, old.name)


def link_for_person(ctx: Context, email: str) -> str:
    """A new link to the feed that matters most to a person; raises NotFound where there is none."""
    with ctx.transaction() as db:
        person = people.by_email(db, email)
        actor = accounts.actor_of(db, person.id) if person else None
        if actor is None:
            raise NotFound(text("Nobody has the address {email}.", email=email))
        kind, owner_id = _nearest(actor)
        owner = _readable(db, actor, kind, owner_id)
        name = translate(text("Made on the command line"), Language(actor.language))
        key = FeedKey(kind, owner_id, actor.language)
        return _link(ctx, db, actor, owner, key, name).url


def _nearest(actor: Actor) -> tuple[FeedKind, int]:
    """The teacher's own feed before the school's, that before the programme's."""
    for grant in actor.with_role(Role.TEACHER):
        return FeedKind.TEACHER, grant.teacher_id or 0
    for grant in actor.with_role(Role.SCHOOL):
        return FeedKind.SCHOOL, grant.school_id or 0
    for grant in actor.with_role(Role.DONOR_HEAD):
        return FeedKind.DONOR_SCHOOL, grant.donor_school_id or 0
    for grant in actor.grants:
        return FeedKind.PROGRAMME, grant.programme_id
    raise NotFound(text("{email} has no role, and so no calendar.", email=actor.email))


def ensure_all(ctx: Context) -> Totals:
    """A rendered feed for each teacher, class, school, donor school and programme."""
    language = ctx.settings.locale
    with ctx.transaction() as db:
        keys = [FeedKey(kind, owner_id, language) for kind, owner_id in feeds.owners(db)]
        feeds.ensure_all(db, keys)
    while render_dirty(ctx, limit=200):
        pass
    return totals(ctx)


def totals(ctx: Context) -> Totals:
    """Counts what is stored and rendered."""
    with ctx.reading() as db:
        counts = [ical.event_count(gzip.decompress(body)) for body in feeds.packed_bodies(db)]
    return Totals(len(counts), sum(counts))


def render_dirty(ctx: Context, limit: int = 100) -> int:
    """Bring up to `limit` feeds up to date; how many were looked at, 0 when all are.

    Any number of processes may do so at once.
    """
    week = calendars.week_of(ctx.now())
    with ctx.reading() as db:
        if not feeds.any_stale(db, week):
            return 0
    with ctx.transaction() as db:
        claims = feeds.claim(db, week, limit)
    _render(ctx, claims, week)
    return len(claims)


def render_feed(ctx: Context, feed_id: int) -> None:
    """Bring one feed up to date, now."""
    with ctx.transaction() as db:
        claims = feeds.claim_one(db, feed_id)
    _render(ctx, claims, calendars.week_of(ctx.now()))


def _render(ctx: Context, claims: Sequence[Claim], week: date) -> None:
    """Between the transactions: a claim lost to a crash is taken again by whoever comes next.

    One programme after the other: a few feeds of each of many would have the lessons of all of
    them in memory at once.
    """
    if not claims:
        return
    with ctx.reading() as db:
        known = feeds.owners(db, set(map(_whose, claims)))
    owners = {claim: known.get(_whose(claim), _nobody(claim)) for claim in claims}
    for programme in dict.fromkeys(owner.programme_id for owner in owners.values()):
        own = {claim: owner for claim, owner in owners.items() if owner.programme_id == programme}
        with ctx.reading() as db:
            contents = _contents(db, tuple(set(own.values())), week)
        bodies = {
            claim: _body(ctx.settings, owner, claim.key, contents[owner], week)
            for claim, owner in own.items()
        }
        with ctx.transaction() as db:
            feeds.save(db, bodies, week, ctx.now())


def _whose(claim: Claim) -> tuple[FeedKind, int]:
    return claim.key.kind, claim.key.owner_id


def _nobody(claim: Claim) -> Owner:
    """An owner without lessons: whose row is gone has an empty calendar."""
    return Owner(claim.key.kind, claim.key.owner_id, "", ProgrammeId(0))


_Contents = Mapping[Owner, Sequence[Shown]]


def _contents(db: Session, owners: Sequence[Owner], week: date) -> _Contents:
    """What each feed of a programme shows.  One asks for its own lessons; several share all."""
    first, traces = owners[0], _handovers(db, owners, week)
    given = (_own_lessons if len(owners) == 1 else _programme_lessons)(db, first, week)
    seats = _sessions(db, first.programme_id, week)
    return {owner: calendars.showings(owner, given, traces[owner], week, seats) for owner in owners}


def _sessions(db: Session, programme: ProgrammeId, week: date) -> Seats:
    """The programme's joint sessions; two queries where there are some."""
    reach = calendars.window(week)
    those = joint_sessions.between(db, programme, reach.start, reach.end)
    seats = joint_sessions.attendees(db, [x.id for x in those]) if those else {}
    return tuple((x, seats[x.id]) for x in those)


def _own_lessons(db: Session, owner: Owner, week: date) -> tuple[Lesson, ...]:
    reach = calendars.window(week)
    since, until = reach.start, reach.end
    match owner.kind:
        case FeedKind.TEACHER:
            return lessons.find(db, teacher_id=owner.id, since=since, until=until)
        case FeedKind.CLASS:
            return lessons.find(db, class_id=owner.id, since=since, until=until)
        case FeedKind.SCHOOL:
            return lessons.find(db, school_id=owner.id, since=since, until=until)
        case FeedKind.DONOR_SCHOOL:
            return lessons.find(db, donor_school_id=owner.id, since=since, until=until)
        case FeedKind.PROGRAMME:
            return _programme_lessons(db, owner, week)


def _programme_lessons(db: Session, owner: Owner, week: date) -> tuple[Lesson, ...]:
    reach = calendars.window(week)
    return lessons.find(db, programme_id=owner.programme_id, since=reach.start, until=reach.end)


def _handovers(
    db: Session, owners: Sequence[Owner], week: date
) -> Mapping[Owner, tuple[Handover, ...]]:
    """Only a teacher's own feed remembers what was handed over."""
    reach = calendars.window(week)
    found: dict[Owner, tuple[Handover, ...]] = defaultdict(tuple)
    for owner in owners:
        if owner.kind is FeedKind.TEACHER:
            found[owner] = lessons.handovers_of(db, owner.id, reach.start, reach.end)
    return found


def _body(
    settings: Settings, owner: Owner, key: FeedKey, showings: Sequence[Shown], week: date
) -> Body:
    """The feed's bytes; where texts are long, fewer weeks than its number of events would allow."""
    how = wordings.manner(key, settings.base_url, settings.uid_domain)
    plain = ical.render(wordings.calendar(owner, showings, how))
    while len(plain) > calendars.MOST_BYTES and len(showings) > 1:
        room = len(showings) * calendars.MOST_BYTES // len(plain)
        showings = calendars.nearest(showings, week, max(1, min(room, len(showings) - 1)))
        plain = ical.render(wordings.calendar(owner, showings, how))
    etag = hashlib.sha256(plain).hexdigest()[:32]
    return Body(etag, gzip.compress(plain, _SQUEEZE, mtime=0))


def farewell(ctx: Context, link_id: int, ended_at: datetime, language: Language) -> bytes:
    """A calendar of one event, at the moment a link ended, that says so."""
    return ical.render(wordings.farewell(link_id, ended_at, language, ctx.settings.uid_domain))


def open_reader(ctx: Context) -> Reader:
    """What answers calendar clients."""
    return Reader(ctx.database)


class ReadLog:
    """Reads of links, gathered until they are written down together."""

    def __init__(self, now: datetime) -> None:
        self._lock = threading.Lock()
        self._reads: dict[int, tuple[int, datetime, str]] = {}
        self._taken_at = now
        self.tell: Callable[[Mapping[int, datetime]], None] = lambda _: None

    def note(self, link_id: int, at: datetime, client: str) -> bool:
        """One more read; whether it is time to write them down."""
        with self._lock:
            known = self._reads.get(link_id)
            self._reads[link_id] = (known[0] + 1 if known else 1, at, client)
        return self.due(at)

    def due(self, now: datetime) -> bool:
        return bool(self._reads) and abs(now - self._taken_at) >= FLUSH_EVERY

    def take(self, now: datetime) -> dict[int, tuple[int, datetime, str]]:
        with self._lock:
            taken, self._reads, self._taken_at = self._reads, {}, now
        return taken


_logs: WeakKeyDictionary[Database, ReadLog] = WeakKeyDictionary()


def read_log(ctx: Context) -> ReadLog:
    """The log of this process for this database."""
    found = _logs.get(ctx.database)
    return found if found is not None else _logs.setdefault(ctx.database, ReadLog(ctx.now()))


def flush_reads(ctx: Context) -> None:
    """Write down which links were read, once a minute at most: call it at every beat."""
    if read_log(ctx).due(ctx.now()):
        write_reads(ctx)


def write_reads(ctx: Context) -> None:
    """Write down which links were read; a crash loses a minute of such stamps, nothing else.

    What all processes have given of each of them is told to whoever counts in this one.
    """
    log, now = read_log(ctx), ctx.now()
    reads = log.take(now)
    if not reads:
        return
    names = {f"{READS_BY_LINK.name}:{link}": link for link in reads}
    tries = {name: reads[link][0] for name, link in names.items()}
    with ctx.transaction() as db:
        feed_links.stamp_reads(db, reads)
        full_at = limits.add(db, READS_BY_LINK, tries, milliseconds(now))
    log.tell({names[name]: instant(at) for name, at in full_at.items()})
