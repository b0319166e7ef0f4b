"""The ways to people that this installation has, and which of them a message takes."""

from collections.abc import Collection

from scheduler.delivery.channels import Transport
from scheduler.delivery.mailfiles import FileTransport
from scheduler.delivery.smtp import SmtpTransport
from scheduler.domain.messages import Channel, Claimed
from scheduler.domain.people import PersonId
from scheduler.services.context import Context
from scheduler.store.database import Session


def transport(ctx: Context, channel: Channel) -> Transport | None:
    """A transport of this process for the channel; None where the installation has none."""
    return mail(ctx) if channel is Channel.MAIL else None


def mail(ctx: Context) -> Transport:
    """The relay in the settings; files while there is none."""
    url = ctx.settings.smtp_url.get_secret_value()
    if not url:
        return FileTransport(ctx.settings.mail_dir)
    return SmtpTransport(url, ctx.settings.mail_from)


def first(ctx: Context, db: Session, people: Collection[PersonId]) -> dict[PersonId, Channel]:
    """The way by which each person is reached first: the earliest choice that leads anywhere."""
    del ctx, db
    return dict.fromkeys(people, Channel.MAIL)


def follow(ctx: Context, db: Session, failed: Claimed) -> int:
    """Plan a message that failed for its reader's next way, in the transaction that marks it.

    Returns how many were planned: none when there is no next way or no time.
    """
    del ctx, db, failed
    return 0
