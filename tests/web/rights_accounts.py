"""What is A's of accounts in the world of the matrix: sessions, tokens, factors, invitations."""

from dataclasses import dataclass

import sqlalchemy as sa

from scheduler import security
from scheduler.domain.access import Actor, Role
from scheduler.domain.invitations import Place
from scheduler.services import (
    access_tokens,
    accounts,
    address_changes,
    invitations,
    outbox,
    sessions,
)
from scheduler.services.context import Context
from scheduler.services.invitations import Wanted
from scheduler.store import factors, tables
from tests.cast import Cast
from tests.conftest import KEY

NEW_ADDRESS = "noi-kin@x.example"
TAKE_BACK = "invitations/{invitation_id}/take-back"


@dataclass(frozen=True)
class Owned:
    """Numbers by the word in an address; `by_path`: where it is another's; `keys`: by room."""

    ids: dict[str, object]
    by_path: dict[str, dict[str, object]]
    keys: dict[str, str]
    secrets: tuple[str, ...]


def own(ctx: Context, cast: Cast, who: dict[str, Actor], donor_school: int) -> Owned:
    """`who`: teacher1, schoolA, head and coordinator, each of whom has one of each kind."""
    teacher, school, programme = who["teacher1"], who["schoolA"], cast["programme"]
    keys, made = {}, {}
    for room, by, place in (
        ("/school/people", school, Place(Role.SCHOOL, programme, cast["A"])),
        (
            "/donor-school/people",
            who["head"],
            Place(Role.DONOR_HEAD, programme, None, donor_school),
        ),
        (
            "/coordinator/people",
            who["coordinator"],
            Place(Role.TEACHER, programme, None, donor_school),
        ),
    ):
        made[room], keys["/invitation/{token}"] = _invitation(ctx, by, room, place)
    keys["/sign-in/{token}"] = _key(accounts.operator_link(ctx, school.email))
    text = access_tokens.make(ctx, teacher, "máy kín", 30).text
    address_changes.ask(ctx, teacher, NEW_ADDRESS)
    keys["/address/{token}"] = _of_mail(ctx, "/address/")
    ids: dict[str, object] = {
        "session_id": _session(ctx, teacher),
        "token_id": access_tokens.mine(ctx, teacher)[0].id,
        "passkey_id": factor(ctx, who["coordinator"]),
        "grant_id": _grant(ctx, teacher),
        "invitation_id": made["/coordinator/people"],
    }
    rooms = {f"{room}/{TAKE_BACK}": {"invitation_id": number} for room, number in made.items()}
    return Owned(ids, rooms, keys, (text, NEW_ADDRESS, "moi-kin"))


def _invitation(ctx: Context, by: Actor, room: str, place: Place) -> tuple[int, str]:
    email = f"moi-kin{len(room)}@x.example"
    number = invitations.invite(ctx, by, Wanted(email, "Khách Kín", "vi", place))
    return number, _of_mail(ctx, "/invitation/")


def _of_mail(ctx: Context, room: str) -> str:
    """The key in the newest mail that leads to such a page."""
    row = tables.outbox.c
    with ctx.reading() as db:
        told = db.scalars(sa.select(row.payload).order_by(row.id.desc()))
        urls = (outbox.opened(ctx, x).get("url", "") for x in told)
        return _key(next(url for url in urls if room in url))


def _key(url: str) -> str:
    return url.rpartition("/")[2]


def _session(ctx: Context, actor: Actor) -> int:
    """A further browser: who asks comes from another, and must not be signed out meanwhile."""
    accounts.sign_in(ctx, _key(accounts.operator_link(ctx, actor.email)), "", "Firefox Kín")
    return sessions.mine(ctx, actor)[0].id


def factor(ctx: Context, actor: Actor) -> int:
    """An app and a passkey; the number of the passkey."""
    with ctx.transaction() as db:
        sealed, key = security.seal(KEY, "KIN" * 10 + "KI"), f"kinkin{actor.person_id:02}"
        factors.put_app(db, actor.person_id, sealed, 0, ctx.now())
        factors.add_passkey(db, actor.person_id, key, b"kin", 0, "Firefox Kín", ctx.now())
        return factors.of(db, actor.person_id).passkeys[0].id


def _grant(ctx: Context, actor: Actor) -> int:
    row = tables.grants.c
    with ctx.reading() as db:
        return db.scalars(sa.select(row.id).where(row.person_id == actor.person_id)).one()
