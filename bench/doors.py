"""The pages of the demo about coming in, one's account and other people, with their mails."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path

import pyotp
from playwright.sync_api import Browser, BrowserContext, Page

from bench.camera import LANGUAGES, SCHEMES, WIDTHS, picture, speak
from scheduler.clock import SystemClock
from scheduler.delivery.mailfiles import StoredMail
from scheduler.domain.access import Actor, Role
from scheduler.domain.invitations import Place
from scheduler.domain.limits import SIGN_IN_BY_ADDRESS
from scheduler.services import accounts, address_changes, demo, invitations, outbox, people
from scheduler.services.context import Context
from scheduler.services.invitations import Wanted

PATIENCE = 60.0  # seconds until the loop has sent a mail
LINK_LIFE = timedelta(hours=1)
PEOPLE = "/coordinator/people"
RECORD = "/coordinator/record"
NEW_ADDRESS = "hoa.moi@thcs-b.example"
State = dict[str, object]


@dataclass(frozen=True, slots=True)
class Shot:
    """A page of one reader; `act` leads from the address to what the picture shows."""

    who: str
    name: str
    path: str
    status: int = 200
    act: Callable[[Page], None] | None = None


@dataclass(frozen=True, slots=True)
class Seeds:
    """Who reads the pages, and the addresses and mails that only a mailbox knows."""

    readers: dict[str, Actor]
    links: dict[str, str]
    mails: dict[str, StoredMail]
    other: Actor  # who is looked at, and may be switched off
    off: Actor


def take(browser: Browser, ctx: Context, target: Path) -> list[str]:
    """Take all pictures; the faults that were seen.  Needs the loop: mails bring the links."""
    states = {"coordinator": _enter(browser, ctx, accounts.operator(ctx), prove=True)}
    states["showing"] = _enter(browser, ctx, accounts.operator(ctx))
    seeds = _seeded(ctx)
    states |= {who: _enter(browser, ctx, actor) for who, actor in seeds.readers.items()}
    shots = list(_shots(ctx, seeds))
    faults: list[str] = []
    for width, scheme in product(WIDTHS, SCHEMES):
        views = {
            who: browser.new_context(
                storage_state=states.get(who),
                viewport={"width": width, "height": 800},
                color_scheme=scheme,
                java_script_enabled=who != "visitor",
            )
            for who in (*states, "visitor")
        }
        for language in LANGUAGES:
            for view in views.values():
                speak(view, ctx.settings.base_url, language)
            end = f"{width}-{scheme}-{language}.png"
            for shot in shots:
                url = ctx.settings.base_url + shot.path
                file = target / f"doors-{shot.name}-{end}"
                faults += picture(views[shot.who], url, file, shot.status, shot.act)
            faults += _mails(views["visitor"], seeds, target, f"{width}-{scheme}-{language}.png")
        for view in views.values():
            view.close()
    return faults + _hurried(browser, ctx, target)


# -- who and what is there


def _seeded(ctx: Context) -> Seeds:
    coordinator = accounts.operator(ctx)
    teachers = accounts.people_with(ctx, Role.TEACHER)
    half = accounts.add_user(ctx, "le.khoi@chungtay.example", Role.COORDINATOR, name="Lê Minh Khôi")
    first = {each.role: each.actor for each in demo.invitations(ctx)}
    links = _invited(ctx, coordinator, first[Role.TEACHER])
    head = next(iter(accounts.people_with(ctx, Role.DONOR_HEAD)))
    address_changes.ask(ctx, first[Role.TEACHER], NEW_ADDRESS)
    accounts.request_sign_in(ctx, teachers[6].email)
    off = teachers[8]
    seen = people.look_at_switch(ctx, coordinator, off.person_id)
    people.switch_off(ctx, coordinator, off.person_id, seen.fingerprint)
    mails = {
        "invitation": _mail(ctx, "mai.lan@thcs-b.example", "/invitation/"),
        "new-address": _mail(ctx, NEW_ADDRESS, "/address/"),
        "address-notice": _mail(ctx, first[Role.TEACHER].email, "/sign-in"),
        "factor-notice": _mail(ctx, coordinator.email, "/account/factor"),
        "sign-in": _mail(ctx, teachers[6].email, "/sign-in/"),
    }
    links["address"] = _path(mails["new-address"], "/address/")
    readers = {
        "teacher": first[Role.TEACHER],
        "school": first[Role.SCHOOL],
        "head": head,
        "half": half,
    }
    return Seeds(readers, links, mails, teachers[5], off)


def _invited(ctx: Context, coordinator: Actor, teacher: Actor) -> dict[str, str]:
    """Paths of invitations: one open, one accepted by the head of that teacher's school, one taken
    back."""
    programme = coordinator.grants[0].programme_id
    taught = people.card(ctx, coordinator, teacher.person_id).entry.roles[0].school
    known = invitations.places(ctx, coordinator, programme).donor_schools
    donor = next(each.id for each in known if taught in (each.name, each.label))
    heads = Place(Role.DONOR_HEAD, programme, None, donor)
    school = next(iter(accounts.people_with(ctx, Role.SCHOOL))).grants[0].school_id
    at_school = Place(Role.SCHOOL, programme, school)
    wanted = {
        "open": Wanted("mai.lan@thcs-b.example", "Nguyễn Thị Mai Lan", "vi", at_school),
        "accepted": Wanted("bui.nga@thcs-a.example", "Bùi Thị Hằng Nga", "vi", heads),
        "ended": Wanted("sai.dia.chi@thcs-c.example", "Trần Văn Sai", "vi", at_school),
    }
    made = {name: invitations.invite(ctx, coordinator, each) for name, each in wanted.items()}
    mails = {name: _mail(ctx, each.email, "/invitation/") for name, each in wanted.items()}
    links = {f"invitation-{name}": _path(mail, "/invitation/") for name, mail in mails.items()}
    invitations.accept(ctx, links["invitation-accepted"].rpartition("/")[2])
    invitations.take_back(ctx, coordinator, made["ended"])
    return links


def _mail(ctx: Context, to: str, part: str) -> StoredMail:
    """The newest mail to this address with such a link in it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for mail in outbox.mails(ctx):
            if to in mail.to and part in mail.text:
                return mail
        time.sleep(0.5)
    raise TimeoutError(f"no mail to {to}")


def _path(mail: StoredMail, part: str) -> str:
    found = re.search(rf"{part}\S+", mail.text)
    return found[0] if found else "/"


def _enter(browser: Browser, ctx: Context, actor: Actor, *, prove: bool = False) -> State:
    """The cookies of somebody who came in by the mail, and showed a second factor if asked to."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(accounts.operator_link(ctx, actor.email, LINK_LIFE))
    page.click("main form button")
    page.wait_for_load_state()
    if prove:
        secret = page.locator("#key").inner_text().replace(" ", "")
        page.fill("#code", pyotp.TOTP(secret).at(SystemClock().now()))
        page.click("form:has(#code) .btn.go")
        page.wait_for_load_state()
    state = context.storage_state()
    context.close()
    return dict(state)


# -- the pages


def _shots(ctx: Context, seeds: Seeds) -> Iterator[Shot]:
    yield from _visitors(seeds)
    yield from _factors()
    yield from _accounts()
    yield from _peoples(ctx, seeds)


def _visitors(seeds: Seeds) -> Iterator[Shot]:
    unknown = "A" * 43
    yield Shot("visitor", "sign-in", "/sign-in")
    yield Shot("visitor", "sign-in-wrong", "/sign-in", 422, _filled("email", "hoa@thcs-b."))
    yield Shot("visitor", "sign-in-code", "/sign-in/code")
    yield Shot("visitor", "sign-in-code-wrong", "/sign-in/code", 422, _filled("code", "ABCD2345"))
    yield Shot("visitor", "sign-in-expired", f"/sign-in/{unknown}", 410)
    for name, path in seeds.links.items():
        yield Shot("visitor", name, path, 200 if name in ("invitation-open", "address") else 410)
    yield Shot("visitor", "address-over", f"/address/{unknown}", 410)
    yield Shot("visitor", "privacy", "/privacy")


def _factors() -> Iterator[Shot]:
    yield Shot("half", "set-up", "/sign-in/factor/set-up")
    yield Shot("half", "set-up-wrong", "/sign-in/factor/set-up", 422, _filled("code", "12345"))
    yield Shot("showing", "factor-show", "/sign-in/factor")
    yield Shot("showing", "factor-show-wrong", "/sign-in/factor", 422, _filled("code", "12345"))
    yield Shot("coordinator", "factor", "/account/factor")
    yield Shot("coordinator", "factor-app", "/account/factor/app")
    codes = _pressed("form[action$='/codes'] button")
    yield Shot("coordinator", "factor-codes", "/account/factor", act=codes)


def _accounts() -> Iterator[Shot]:
    for who in ("teacher", "coordinator", "head"):
        yield Shot(who, f"account-{who}", "/account")
    for page in ("sessions", "tokens", "address", "leave", "data", "data/erase"):
        yield Shot("teacher", f"account-{page.replace('/', '-')}", f"/account/{page}")
    yield Shot("teacher", "tokens-made", "/account/tokens", act=_filled("name", "Bảng tin trường"))
    yield Shot("teacher", "tokens-wrong", "/account/tokens", 422, _filled("days", "99"))
    wrong = _filled("email", "hoa@thcs-b.")
    yield Shot("teacher", "address-wrong", "/account/address", 422, wrong)
    yield Shot("teacher", "leave-unticked", "/account/leave", 422, _filled("sure"))
    yield Shot("school", "leave-school", "/account/leave")
    yield Shot("coordinator", "sessions-coordinator", "/account/sessions")


def _peoples(ctx: Context, seeds: Seeds) -> Iterator[Shot]:
    one = f"{PEOPLE}/{seeds.other.person_id}"
    yield Shot("coordinator", "people", PEOPLE)
    yield Shot("coordinator", "people-found", f"{PEOPLE}?q=nguyen+hoa&role=teacher")
    yield Shot("coordinator", "people-none", f"{PEOPLE}?q=zzz")
    yield Shot("coordinator", "invite", f"{PEOPLE}/invite")
    wrong = _filled("email", "hoa@thcs-b.", name="Hoa")
    yield Shot("coordinator", "invite-wrong", f"{PEOPLE}/invite", 422, wrong)
    yield Shot("coordinator", "person", one)
    yield Shot("coordinator", "person-off", f"{PEOPLE}/{seeds.off.person_id}")
    oneself = accounts.operator(ctx).person_id
    yield Shot("coordinator", "person-oneself", f"{PEOPLE}/{oneself}")
    yield Shot("coordinator", "switch-off", f"{one}/switch-off")
    yield Shot("coordinator", "record", RECORD)
    yield Shot("coordinator", "record-none", f"{RECORD}?words=zzz")
    yield Shot("coordinator", "record-lesson", f"{RECORD}/lesson")
    yield Shot("coordinator", "record-lesson-found", f"{RECORD}/lesson?lesson=1&day=02/10/2023")
    yield Shot("coordinator", "record-lesson-wrong", f"{RECORD}/lesson?lesson=x&day=31/9", 422)
    yield Shot("school", "school-people", "/school/people")
    yield Shot("head", "donor-school", "/donor-school")
    yield Shot("head", "donor-people", "/donor-school/people")


def _filled(field: str, value: str = "", **more: str) -> Callable[[Page], None]:
    """Fill in and send the form that holds the field, past the browser's own checks."""

    def act(page: Page) -> None:
        for name, typed in ({**more, field: value} if value else more).items():
            page.fill(f"main [name={name}]", typed)
        mine = page.locator(f"main form:has([name={field}])").first
        mine.evaluate("form => form.noValidate = true")
        mine.locator("button").first.click()

    return act


def _pressed(button: str) -> Callable[[Page], None]:
    return lambda page: page.click(button)


def _mails(view: BrowserContext, seeds: Seeds, target: Path, end: str) -> list[str]:
    faults = []
    for name, mail in seeds.mails.items():
        page = view.new_page()
        page.set_content(mail.html)
        page.screenshot(path=target / f"doors-mail-{name}-{end}", full_page=True)
        room = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if room > 0:
            faults.append(f"mail {name}: {room} px of sideways scroll at {end}")
        page.close()
    return faults


def _hurried(browser: Browser, ctx: Context, target: Path) -> list[str]:
    """The answer to a request for a link, and to one too many; last, as nobody can ask any more."""
    faults: list[str] = []
    url = f"{ctx.settings.base_url}/sign-in"
    for status in (202, 429):
        for width, scheme, language in product(WIDTHS, SCHEMES, LANGUAGES):
            view = browser.new_context(
                viewport={"width": width, "height": 800},
                color_scheme=scheme,
            )
            speak(view, ctx.settings.base_url, language)
            page_name = "sign-in-sent" if status == 202 else "sign-in-often"
            file = target / f"doors-{page_name}-{width}-{scheme}-{language}.png"
            act = _filled("email", f"hoa{width}{scheme}{language}@thcs-b.example")
            faults += picture(view, url, file, status, act)
            view.close()
        if status == 202:
            _hurry(browser, url)
    return faults


def _hurry(browser: Browser, url: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    for n in range(SIGN_IN_BY_ADDRESS.burst):
        page.goto(url)
        _filled("email", f"nobody{n}@thcs-b.example")(page)
        page.wait_for_load_state()
    context.close()
