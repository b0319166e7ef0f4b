"""Signing in by a mailed link, and people with their roles."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from email_validator import EmailNotValidError, validate_email

from scheduler import origin, security
from scheduler.domain import accounts as rules
from scheduler.domain.access import RUNNING, Actor, Grant, Role
from scheduler.domain.accounts import LinkState, SignIn, Wish
from scheduler.domain.limits import (
    CODES_BY_ADDRESS,
    REFUSALS_NOTED_BY_PERSON,
    SIGN_IN_BY_ADDRESS,
    SIGN_IN_BY_MAILBOX,
    Limit,
    network_of,
)
from scheduler.domain.people import Person, PersonId
from scheduler.errors import Conflict, Invalid, NotFound, TooMany, text
from scheduler.locale import LANGUAGES
from scheduler.origin import Origin, coming_from
from scheduler.services import limits, outbox
from scheduler.services.context import Context
from scheduler.store import accounts, audits, people, sign_ins, terms
from scheduler.store.database import Session

_log = logging.getLogger(__name__)

LINKS_AT_ONCE = 100  # a beat makes so many


@dataclass(frozen=True, slots=True)
class NewSession:
    """A browser that has just signed in: the cookie's secret, and who it is now."""

    token: str
    actor: Actor


def clean_email(address: str) -> str:
    """The address in the form it is kept; raises Invalid when it cannot be one.

    Of letters beyond ASCII only the domain may have some: no relay is asked for the rest.
    """
    try:
        found = validate_email(
            address.strip(),
            allow_smtputf8=False,
            check_deliverability=False,
            test_environment=True,
        )
    except EmailNotValidError as error:
        raise Invalid(
            "Write a mail address, for example lan@truong.example.",
            fields={"email": text("Write a mail address, for example lan@truong.example.")},
        ) from error
    return found.normalized.lower()


def request_sign_in(ctx: Context, address: str) -> str:
    """Have a sign-in link sent to the address, if it belongs to somebody: the next beat does it.

    Returns the secret for the browser's cookie, which alone may use the link without the typed
    code.  Whose address it is nobody looks here, so that an answer about somebody takes no longer
    than one about nobody.  Raises TooMany; the links sent before then still work.
    """
    email = clean_email(address)
    _take_by_address(ctx, SIGN_IN_BY_ADDRESS)
    limits.take(ctx, SIGN_IN_BY_MAILBOX, email)
    browser, nothing = security.new_token(), security.new_token()
    with ctx.transaction() as db:
        sign_ins.add(
            db,
            email=email,
            mailbox=_mailboxes(ctx, email)[0],
            token_hash=security.digest(nothing),  # opened by nothing, until the link is made
            browser_hash=security.digest(browser),
            code_hash=security.digest(nothing),
            tries=rules.CODE_TRIES,
            now=ctx.now(),
            expires_at=ctx.now() + rules.LINK_LIFE,
        )
    return browser


def _mailboxes(ctx: Context, email: str) -> list[str]:
    """What the address is known by once it is forgotten: by the key in use, and by former ones."""
    return [security.stamp(key, "mailbox", email) for key in ctx.keys]


def make_links(ctx: Context, go_on: Callable[[], bool] = lambda: True) -> int:
    """Mail a link to whoever asked for one and is known; how many mails.

    Each wish is a transaction of its own, done once by any number of processes at once.
    """
    with ctx.reading() as db:
        waiting = sign_ins.wishes(db, LINKS_AT_ONCE)
        is_over = sign_ins.any_of_nobody(db, ctx.now())
    mails = 0
    for wish in waiting:
        if not go_on():
            break
        mails += _attempt(ctx, wish)
    if is_over:
        with ctx.transaction() as db:
            sign_ins.forget_nobody(db, ctx.now())
    return mails


def _attempt(ctx: Context, wish: Wish) -> bool:
    try:
        with ctx.transaction() as db, coming_from(Origin(wish.request_id, wish.address)):
            return _granted(ctx, db, wish)
    except Exception:  # noqa: BLE001 - one broken wish must not keep the others waiting
        _log.exception("a wish for a sign-in link could not be granted", extra={"wish": wish.id})
        return False


def _granted(ctx: Context, db: Session, wish: Wish) -> bool:
    """Whether a mail comes of it.  A newer request for the mailbox ends the older ones."""
    mailboxes = _mailboxes(ctx, wish.email)
    newest = sign_ins.lock_mailbox(db, mailboxes, ctx.now())
    found = sign_ins.take_wish(db, wish)
    if found is None:
        return False
    person = people.by_email(db, wish.email)
    known = person if person and person.active else None
    audits.record(db, ctx.now(), None, "asked_for_link", "person", known.id if known else None)
    sign_ins.end_older(db, mailboxes, newest)
    is_open = rules.state_of(found, found.browser_hash, ctx.now()) is LinkState.READY
    if known is None or found.id != newest or not is_open:
        return False
    token, code = security.new_token(), security.new_code()
    sign_ins.make_link(db, found.id, known.id, security.digest(token), security.digest(code))
    outbox.sign_in_message(ctx, db, known, link_url(ctx, token), code, found.expires_at)
    return True


def _take_by_address(ctx: Context, limit: Limit) -> None:
    """Count a try of the client's address; what has none, as an operator's command, is free."""
    address = origin.current().address
    if address:
        limits.take(ctx, limit, network_of(address))


def operator_link(ctx: Context, address: str, life: timedelta = rules.LINK_LIFE) -> str:
    """A link for the operator to hand over, not bound to a browser; raises NotFound."""
    email = clean_email(address)
    token = security.new_token()
    with ctx.transaction() as db:
        person = people.by_email(db, email)
        if person is None or not person.active:
            raise NotFound(text("Nobody here has the address {email}.", email=email))
        _add_link(ctx, db, person, token, life)
        audits.record(db, ctx.now(), None, "sign_in_link", "person", person.id)
    return link_url(ctx, token)


def link_url(ctx: Context, token: str) -> str:
    return f"{ctx.settings.base_url}/sign-in/{token}"


def _add_link(ctx: Context, db: Session, person: Person, token: str, life: timedelta) -> None:
    mailboxes, now = _mailboxes(ctx, person.email), ctx.now()
    sign_ins.lock_mailbox(db, mailboxes, now)
    made = sign_ins.add(
        db,
        email=None,
        mailbox=mailboxes[0],
        person_id=person.id,
        token_hash=security.digest(token),
        browser_hash="",
        code_hash=security.digest(security.new_code()),
        tries=rules.CODE_TRIES,
        now=now,
        expires_at=now + life,
    )
    sign_ins.end_older(db, mailboxes, made)


def link_state(ctx: Context, token: str, browser: str) -> LinkState:
    """What the page of a link should show; looking never consumes it.  Unknown is EXPIRED."""
    with ctx.reading() as db:
        found = sign_ins.by_token(db, security.digest(token))
    return _state(ctx, found, browser)


def sign_in(ctx: Context, token: str, browser: str, device: str = "") -> NewSession:
    """Consume a link in the browser that asked for it; raises NotFound for any other.

    `device`: what that browser says it runs on, for the list of sessions.
    """
    with ctx.transaction() as db:
        found = sign_ins.by_token(db, security.digest(token))
        state = _state(ctx, found, browser)
        if found is not None and state is LinkState.READY:
            made = _begun(ctx, db, found, device)
            if made is not None:
                return made
    if found is not None and found.person_id and state is not LinkState.NEEDS_CODE:
        _note_dead(ctx, found.person_id)
    raise _dead()


def sign_in_by_code(
    ctx: Context, code: str, *, token: str = "", browser: str = "", device: str = ""
) -> NewSession:
    """Sign in with the typed code, from the link's page or from the browser that asked.

    Five wrong codes end the link.  Raises Invalid for a wrong code, NotFound when nothing is open,
    TooMany when one address types without end.  A failure is noted, whoever it is about: it must
    take as long where there is nobody.
    """
    _take_by_address(ctx, CODES_BY_ADDRESS)
    typed = security.digest(code.replace(" ", "").replace("-", "").upper())
    with ctx.transaction() as db:
        found = _pending(db, token, browser)
        is_open = _state(ctx, found, browser) in (LinkState.READY, LinkState.NEEDS_CODE)
        if found is None or not is_open:
            person_id = found.person_id if found else None
            audits.record(db, ctx.now(), None, "dead_link", "person", person_id)
        elif security.same(typed, found.code_hash):
            made = _begun(ctx, db, found, device)
            if made is not None:
                return made
            is_open = False  # another was faster
        else:
            sign_ins.wrong_code(db, found.id)
            audits.record(db, ctx.now(), None, "wrong_code", "person", found.person_id)
    if not is_open:
        raise _dead()
    raise Invalid(
        "That is not the code.",
        fields={"code": text("That is not the code. It is in the mail, eight letters and digits.")},
    )


def _dead() -> NotFound:
    return NotFound("This sign-in link can no longer be used. Ask for a new one.")


def _note_dead(ctx: Context, person_id: PersonId) -> None:
    """A used or expired link was pressed: into the record, but no flood of it."""
    try:
        limits.take(ctx, REFUSALS_NOTED_BY_PERSON, str(person_id))
    except TooMany:
        return
    with ctx.transaction() as db:
        audits.record(db, ctx.now(), None, "dead_link", "person", person_id)


def _state(ctx: Context, found: SignIn | None, browser: str) -> LinkState:
    """What the link is worth in this browser; one that nobody was sent is EXPIRED."""
    if found is None:
        return LinkState.EXPIRED
    return rules.state_of(found, security.digest(browser), ctx.now())


def _pending(db: Session, token: str, browser: str) -> SignIn | None:
    """The link that a code is typed for, held: of tries at once each must find one less left."""
    if token:
        found = sign_ins.by_token(db, security.digest(token))
    else:
        found = sign_ins.by_browser(db, security.digest(browser)) if browser else None
    return sign_ins.held(db, found.id) if found else None


def _begun(ctx: Context, db: Session, found: SignIn, device: str) -> NewSession | None:
    """The session that the link opens; None when another was faster, or the account is off."""
    now = ctx.now()
    actor = accounts.actor_of(db, found.person_id) if found.person_id else None
    if actor is None or not sign_ins.use(db, found.id, now):
        return None
    token = security.new_token()
    accounts.add_session(
        db,
        person_id=actor.person_id,
        token_hash=security.digest(token),
        csrf=security.new_token(),
        now=now,
        renew_at=now + rules.RENEW_EVERY,
        expires_at=now + rules.SESSION_LIFE,
        device=device,
    )
    audits.record(db, now, actor.person_id, "signed_in", "person", actor.person_id)
    return NewSession(token, actor)


def choose_language(ctx: Context, actor: Actor, language: str) -> None:
    """Speak this language to the person from now on, in pages and mails."""
    if language not in LANGUAGES:
        raise Invalid("Choose Vietnamese or English.")
    with ctx.transaction() as db:
        accounts.set_language(db, actor.person_id, language)


def add_user(
    ctx: Context, address: str, role: Role, *, name: str = "", school_code: str = ""
) -> Actor:
    """Give a role to a person, who is made when unknown (the operator's command).

    A school contact needs the code of a receiving school.  Raises NotFound without a programme or
    school, Conflict when the person has the role already, Invalid for roles that an import gives.
    """
    email = clean_email(address)
    with ctx.transaction() as db:
        grant = _grant(db, role, school_code)
        person_id = accounts.ensure_person(
            db, email=email, name=name or email, language=ctx.settings.locale, now=ctx.now()
        )
        if grant in people.grants(db, person_id):
            raise Conflict(text("{email} has this role already.", email=email))
        accounts.add_grant(db, person_id, grant)
        audits.record(db, ctx.now(), None, "grant", "person", person_id, after={"role": role.value})
        actor = accounts.actor_of(db, person_id)
        if actor is None:
            raise Conflict(text("The account of {email} is switched off.", email=email))
    return actor


def _grant(db: Session, role: Role, school_code: str) -> Grant:
    term, programmes = terms.find(db, None), terms.all_programmes(db)
    if not programmes:
        raise NotFound("There is no programme yet. Run chungtay setup, or import the workbooks.")
    programme_id = term.programme_id if term else programmes[0].id
    if role in RUNNING:
        return Grant(role, programme_id)
    if role is Role.SCHOOL:
        if not school_code:
            raise Invalid("Say which school the contact is of: --school CODE.")
        schools = {school.code: school for school in terms.schools(db, programme_id)}
        if school_code not in schools:
            raise NotFound(text("There is no school with the code {code}.", code=school_code))
        return Grant(role, programme_id, school_id=schools[school_code].id)
    raise Invalid("Teachers come with the workbook of volunteers: import it.")


def people_with(ctx: Context, role: Role) -> tuple[Actor, ...]:
    """Everybody who has the role, in order of sign-up."""
    with ctx.reading() as db:
        return accounts.with_role(db, role)


def operator(ctx: Context) -> Actor:
    """Whoever the command line acts for: the first administrator or coordinator."""
    with ctx.reading() as db:
        found = accounts.with_role(db, Role.ADMIN) + accounts.with_role(db, Role.COORDINATOR)
    if not found:
        raise NotFound(
            "There is no coordinator yet. Run: chungtay user add EMAIL --role coordinator"
        )
    return found[0]


def spoken_for(ctx: Context, actor: Actor, address: str) -> Actor:
    """Whoever the operator says something for, one of the same programme; raises NotFound."""
    email = clean_email(address)
    programmes = {grant.programme_id for grant in actor.grants}
    with ctx.reading() as db:
        person = people.by_email(db, email)
        found = accounts.actor_of(db, person.id) if person else None
    if found is None or not any(grant.programme_id in programmes for grant in found.grants):
        raise NotFound(text("Nobody here has the address {email}.", email=email))
    return found
