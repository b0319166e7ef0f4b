"""Signing in by a mailed link, and who is signed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from email_validator import EmailNotValidError, validate_email

from scheduler import security
from scheduler.domain import accounts as rules
from scheduler.domain.access import Actor, Grant, Role
from scheduler.domain.accounts import LinkState, SessionSeen, SignIn
from scheduler.errors import Conflict, Invalid, NotFound, text
from scheduler.locale import LANGUAGES
from scheduler.services import outbox
from scheduler.services.context import Context
from scheduler.store import accounts, audits, people, terms
from scheduler.store.database import Session


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
    """Send a sign-in link to the address, if it belongs to somebody.

    Returns the secret for the browser's cookie, which alone may use the link without the typed
    code.  The answer is the same for known and unknown addresses.
    """
    email = clean_email(address)
    browser, token, code = security.new_token(), security.new_token(), security.new_code()
    now = ctx.now()
    with ctx.transaction() as db:
        person = people.by_email(db, email)
        if person is not None and person.active:
            _store_link(ctx, db, person.id, token, security.digest(browser), code, rules.LINK_LIFE)
            url = link_url(ctx, token)
            outbox.sign_in_message(ctx, db, person, url, code, now + rules.LINK_LIFE)
    return browser


def operator_link(ctx: Context, address: str, life: timedelta = rules.LINK_LIFE) -> str:
    """A link for the operator to hand over, not bound to a browser; raises NotFound."""
    email = clean_email(address)
    token = security.new_token()
    with ctx.transaction() as db:
        person = people.by_email(db, email)
        if person is None or not person.active:
            raise NotFound(text("Nobody here has the address {email}.", email=email))
        _store_link(ctx, db, person.id, token, "", security.new_code(), life)
        audits.record(db, ctx.now(), None, "sign_in_link", "person", person.id)
    return link_url(ctx, token)


def link_url(ctx: Context, token: str) -> str:
    return f"{ctx.settings.base_url}/sign-in/{token}"


def _store_link(
    ctx: Context, db: Session, person_id: int, token: str, browser: str, code: str, life: timedelta
) -> None:
    accounts.add_sign_in(
        db,
        person_id=person_id,
        token_hash=security.digest(token),
        browser_hash=browser,
        code_hash=security.digest(code),
        tries=rules.CODE_TRIES,
        now=ctx.now(),
        expires_at=ctx.now() + life,
    )


def link_state(ctx: Context, token: str, browser: str) -> LinkState:
    """What the page of a link should show; looking never consumes it.  Unknown is EXPIRED."""
    with ctx.reading() as db:
        found = accounts.by_token(db, security.digest(token))
    if found is None:
        return LinkState.EXPIRED
    return rules.state_of(found, security.digest(browser), ctx.now())


def sign_in(ctx: Context, token: str, browser: str, device: str = "") -> NewSession:
    """Consume a link in the browser that asked for it; raises NotFound for any other.

    `device`: what that browser says it runs on, for the list of sessions.
    """
    with ctx.transaction() as db:
        found = accounts.by_token(db, security.digest(token))
        if found is None or _state(ctx, found, browser) is not LinkState.READY:
            raise NotFound("This sign-in link can no longer be used. Ask for a new one.")
        return _begin(ctx, db, found, device)


def sign_in_by_code(
    ctx: Context, code: str, *, token: str = "", browser: str = "", device: str = ""
) -> NewSession:
    """Sign in with the typed code, from the link's page or from the browser that asked.

    Five wrong codes end the link.  Raises Invalid for a wrong code, NotFound when nothing is open.
    """
    typed = security.digest(code.replace(" ", "").replace("-", "").upper())
    with ctx.transaction() as db:
        found = _pending(db, token, browser)
        if found is None or _state(ctx, found, browser) not in (
            LinkState.READY,
            LinkState.NEEDS_CODE,
        ):
            raise NotFound("This sign-in link can no longer be used. Ask for a new one.")
        if security.same(typed, found.code_hash):
            return _begin(ctx, db, found, device)
        accounts.wrong_code(db, found.id)
    raise Invalid(
        "That is not the code.",
        fields={"code": text("That is not the code. It is in the mail, eight letters and digits.")},
    )


def _state(ctx: Context, found: SignIn, browser: str) -> LinkState:
    return rules.state_of(found, security.digest(browser), ctx.now())


def _pending(db: Session, token: str, browser: str) -> SignIn | None:
    if token:
        return accounts.by_token(db, security.digest(token))
    return accounts.by_browser(db, security.digest(browser)) if browser else None


def _begin(ctx: Context, db: Session, found: SignIn, device: str) -> NewSession:
    now = ctx.now()
    actor = accounts.actor_of(db, found.person_id)
    if actor is None or not accounts.use(db, found.id, now):
        raise NotFound("This sign-in link can no longer be used. Ask for a new one.")
    token = security.new_token()
    accounts.add_session(
        db,
        person_id=found.person_id,
        token_hash=security.digest(token),
        csrf=security.new_token(),
        now=now,
        expires_at=now + rules.SESSION_LIFE,
        device=device,
    )
    audits.record(db, now, found.person_id, "signed_in", "person", found.person_id)
    return NewSession(token, actor)


def who(ctx: Context, token: str) -> SessionSeen | None:
    """The signed-in person behind a cookie, with the rights of this moment; None for a stranger."""
    if not token:
        return None
    now = ctx.now()
    with ctx.reading() as db:
        found = accounts.session_of(db, security.digest(token))
    if found is None or not rules.alive(found, now):
        return None
    if now - found.seen_at > rules.SEEN_EVERY:
        with ctx.transaction() as db:
            accounts.seen(db, found.id, now)
    return found


def replace_token(_ctx: Context, db: Session, session_id: int, now: datetime) -> str:
    """A new secret for a session whose rights grow; the one before counts no more from now on.

    Raises NotFound for a session that has ended.
    """
    token = security.new_token()
    if not accounts.replace_token(db, session_id, security.digest(token), now):
        raise NotFound("You are no longer signed in. Sign in again.")
    return token


def sign_out(ctx: Context, token: str) -> None:
    """End the session at once; unknown ones are left alone."""
    with ctx.transaction() as db:
        accounts.end_session(db, security.digest(token), ctx.now())


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
        person = people.by_email(db, email)
        person_id = (
            person.id
            if person
            else accounts.add_person(
                db, email=email, name=name or email, language=ctx.settings.locale, now=ctx.now()
            )
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
    term = terms.find(db, None)
    if term is None:
        raise NotFound("There is no programme yet. Import the workbooks first.")
    if role in (Role.COORDINATOR, Role.ADMIN):
        return Grant(role, term.programme_id)
    if role is Role.SCHOOL:
        if not school_code:
            raise Invalid("Say which school the contact is of: --school CODE.")
        schools = {school.code: school for school in terms.schools(db, term.programme_id)}
        if school_code not in schools:
            raise NotFound(text("There is no school with the code {code}.", code=school_code))
        return Grant(role, term.programme_id, school_id=schools[school_code].id)
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
