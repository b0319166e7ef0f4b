"""The installation itself: its schema and its health."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address

from scheduler import security
from scheduler.clock import SystemClock
from scheduler.domain.messages import Channel
from scheduler.errors import Busy, Conflict, Text, text
from scheduler.matching import compiler, library
from scheduler.services import backups, keys, ways
from scheduler.services.context import Context
from scheduler.store import accounts, dumps, migrations

CLOCK_DRIFT_SECONDS = 5.0
A_DAY = timedelta(days=1)
TOO_LONG = timedelta(days=4)  # without a backup: a long weekend, and nobody has looked since
ENOUGH_PEOPLE = 3  # fewer may share a line at home


class Verdict(StrEnum):
    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the doctor looked at, and what to do about it."""

    subject: str
    verdict: Verdict
    sentence: Text


def migrate(ctx: Context, *, backup: bool | None = None) -> str:
    """Bring the schema to head; returns the revision.

    What is there is copied to the shelf first, if `backup`; None: where the database is embedded.
    Raises Conflict when it is newer than us, Damaged where it does not fit together any more.
    """
    dumps.require_whole(ctx.database)
    found = migrations.current(ctx.database)
    migrations.refuse_newer(found)
    if found == migrations.head():
        return found
    if found and (ctx.database.is_sqlite if backup is None else backup):
        backups.before(ctx, migrations.head())
    migrations.upgrade(ctx.database)
    return migrations.current(ctx.database)


def is_at_head(ctx: Context) -> bool:
    return migrations.current(ctx.database) == migrations.head()


def is_behind(revision: str) -> bool:
    """Whether a database of this revision has to be brought to ours first; empty: a new one."""
    return revision not in ("", migrations.head())


def is_ours(ctx: Context) -> bool:
    """Whether this program may run on the schema: its own, or one that only added to it."""
    return migrations.is_ours(ctx.database)


def require_head(ctx: Context) -> None:
    """Raises Conflict for a schema that is not this program's, with the way out."""
    found = migrations.current(ctx.database)
    migrations.refuse_newer(found)
    if found != migrations.head():
        raise Conflict(_other_schema(ctx, found))


def doctor(ctx: Context) -> tuple[Finding, ...]:
    """Look at settings, database, mail, clock and engine; at most an empty database is made."""
    return (
        _settings(ctx),
        _database(ctx),
        *_connections(ctx),
        *_keys(ctx),
        *_proxy(ctx),
        _mail(ctx),
        _push(ctx),
        _gateway(ctx, Channel.SMS),
        _gateway(ctx, Channel.ZALO),
        _clock(ctx),
        *_backup(ctx),
        _matching(),
    )


def _settings(ctx: Context) -> Finding:
    if ctx.settings.secure:
        return Finding("settings", Verdict.GOOD, text("People reach us over https."))
    return Finding(
        "settings",
        Verdict.NOTE,
        text(
            "{url} is not https: good on one machine only, and serve listens to no other. "
            "Set CHUNGTAY_BASE_URL.",
            url=ctx.settings.base_url,
        ),
    )


def _database(ctx: Context) -> Finding:
    try:
        dumps.require_whole(ctx.database)
        found, head = migrations.current(ctx.database), migrations.head()
    except Busy as error:
        return Finding("database", Verdict.BAD, error.message)
    if found != head:
        return Finding("database", Verdict.BAD, _other_schema(ctx, found))
    return Finding(
        "database", Verdict.GOOD, text("{engine}, schema {head}.", engine=_engine(ctx), head=head)
    )


def _connections(ctx: Context) -> tuple[Finding, ...]:
    """Whether the server takes as many as our processes may ask for, where it is PostgreSQL."""
    lines = ctx.database.lines
    if ctx.database.is_sqlite:
        return ()
    if not lines.direct:
        told = text(
            "Behind a pooler alone calendars are looked up at each read, and migrate, backup and "
            "restore refuse. Set CHUNGTAY_DATABASE_DIRECT_URL."
        )
        return (Finding("connections", Verdict.NOTE, told),)
    try:
        room, running = ctx.database.room()
    except Busy:  # the database's own finding says so
        return ()
    values = {"room": room, "pool": lines.most, "fits": room // lines.most, "running": running}
    if lines.pooler:
        told = text("Through a pooler; the server gives {room} to all.", **values)
        return (Finding("connections", Verdict.GOOD, told),)
    if running * lines.most > room or room < lines.most:
        told = text(
            "Up to {pool} for each of our processes, {running} of which run, and the server gives "
            "us {room}: some may find none. Set CHUNGTAY_DATABASE_POOL lower, or max_connections "
            "of the server higher.",
            **values,
        )
        return (Finding("connections", Verdict.NOTE, told),)
    told = text(
        "The server gives us {room}, up to {pool} for each of our processes: enough for {fits}; "
        "{running} run.",
        **values,
    )
    return (Finding("connections", Verdict.GOOD, told),)


def _other_schema(ctx: Context, found: str) -> Text:
    return text(
        "{engine}, schema {found} instead of {head}. Run: chungtay migrate.",
        engine=_engine(ctx),
        found=found or "-",
        head=migrations.head(),
    )


def _engine(ctx: Context) -> str:
    return "SQLite" if ctx.database.is_sqlite else "PostgreSQL"


def _keys(ctx: Context) -> tuple[Finding, ...]:
    """Their fingerprints, and whether the former ones can go, where the schema is ours."""
    in_force = text("The secret key is {key}.", key=security.key_id(ctx.key))
    first = Finding("secrets", Verdict.GOOD, in_force)
    try:
        found = keys.look(ctx) if is_at_head(ctx) else None
    except Busy:  # the database's own finding says so
        found = None
    if found is None:
        return (first,)
    lost = text(
        "Sealed texts that none of our keys opens: {count}. Set the key that sealed them in "
        "CHUNGTAY_FORMER_SECRET_KEYS; without it their people must enter them once more.",
        count=found.lost,
    )
    more = [lost] if found.lost else []
    if found.former:
        more.append(_about_former(found))
    return first, *(Finding("secrets", Verdict.NOTE, sentence) for sentence in more)


def _about_former(found: keys.Keys) -> Text:
    names = ", ".join(found.former)
    if found.by_former:
        return text(
            "Former keys: {keys}. Sealed texts that need them: {count}. Run: chungtay reseal.",
            keys=names,
            count=found.by_former,
        )
    return text(
        "Former keys: {keys}. No sealed text needs them. They can go when the links that they "
        "signed have ended.",
        keys=names,
    )


def _proxy(ctx: Context) -> tuple[Finding, ...]:
    """Whether all people seem to sit at one address of our own house, which is then a proxy's."""
    try:
        known = ctx.settings.secure and is_at_head(ctx)
        with ctx.reading() as db:
            found = accounts.came_from(db, ctx.now() - A_DAY) if known else {}
    except Busy:  # the database's own finding says so
        return ()
    ((address, count), *others) = found.items() or [("", 0)]
    if others or count < ENOUGH_PEOPLE or not _is_of_the_house(address):
        return ()
    told = text(
        "Whoever came since yesterday ({count} people) came from {address}: that is a proxy. Name "
        "it in CHUNGTAY_TRUSTED_PROXIES; until then all share the limits of one address.",
        count=count,
        address=address,
    )
    return (Finding("proxy", Verdict.NOTE, told),)


def _is_of_the_house(address: str) -> bool:
    try:
        return not ip_address(address).is_global
    except ValueError:
        return False


def _mail(ctx: Context) -> Finding:
    if ctx.settings.smtp_url.get_secret_value():
        return Finding(
            "mail", Verdict.GOOD, text("Mail goes out by the relay in CHUNGTAY_SMTP_URL.")
        )
    return Finding(
        "mail",
        Verdict.NOTE,
        text(
            "No relay is set: mail is kept as files in {folder}. Set CHUNGTAY_SMTP_URL.",
            folder=str(ctx.settings.mail_dir),
        ),
    )


def _push(ctx: Context) -> Finding:
    if ctx.settings.secure:
        return Finding("push", Verdict.GOOD, text("Browsers can be signed up for messages."))
    return Finding(
        "push",
        Verdict.NOTE,
        text("Browsers take messages from https addresses only. Set CHUNGTAY_BASE_URL."),
    )


def _gateway(ctx: Context, channel: Channel) -> Finding:
    name = channel.value.upper()
    if ways.gateway_secret(ctx, channel) is None:
        return Finding(
            channel.value,
            Verdict.NOTE,
            text(
                "No gateway is set: nothing goes out by this way. Set CHUNGTAY_{name}_URL.",
                name=name,
            ),
        )
    return Finding(
        channel.value,
        Verdict.GOOD,
        text("Messages go out by the gateway in CHUNGTAY_{name}_URL.", name=name),
    )


def _clock(ctx: Context) -> Finding:
    drift = (ctx.now() - SystemClock().now()).total_seconds()
    if abs(drift) > CLOCK_DRIFT_SECONDS:
        return Finding(
            "clock",
            Verdict.NOTE,
            text("The programme's clock shows {now}.", now=ctx.now().isoformat(timespec="minutes")),
        )
    return Finding("clock", Verdict.GOOD, text("The clock is the machine's own."))


def _backup(ctx: Context) -> tuple[Finding, ...]:
    try:
        found = backups.newest(ctx) if is_at_head(ctx) else None
    except Busy:  # the database's own finding says so
        return ()
    if found is None:
        none = text(
            "No backup has been made yet. Run each night: chungtay backup --into {folder} "
            "(deploy/chungtay-backup.timer does).",
            folder=str(ctx.settings.backup_dir),
        )
        return (Finding("backup", Verdict.NOTE, none),)
    verdict = Verdict.BAD if found.age > TOO_LONG else Verdict.NOTE
    told = text(
        "The newest backup was made {hours} hours ago: {file}.",
        hours=int(found.age.total_seconds() // 3600),
        file=found.file,
    )
    return (Finding("backup", verdict if found.is_late else Verdict.GOOD, told),)


def _matching() -> Finding:
    try:
        for words in compiler.WIDTHS:
            library.load(words)
    except Conflict as error:
        return Finding("engine", Verdict.BAD, error.message)
    return Finding("engine", Verdict.GOOD, text("The matching engine is built for this machine."))
