"""Mails that hold a key, or tell of an account: they go to one mailbox and nowhere else."""

from zoneinfo import ZoneInfo

from scheduler.delivery.mail import Letter
from scheduler.domain.access import Role
from scheduler.domain.messages import Claimed, MessageKind
from scheduler.errors import text
from scheduler.locale import translate, wording
from scheduler.services import outbox
from scheduler.services.context import Context
from scheduler.services.readers import Reader, render
from scheduler.services.words import ROLES


def letter(ctx: Context, message: Claimed, reader: Reader) -> Letter:
    """The mail that says what the message of a private kind holds."""
    given = {name: str(value) for name, value in outbox.opened(ctx, message.payload).items()}
    until = message.useless_after.astimezone(ZoneInfo(ctx.settings.timezone))
    match message.kind:
        case MessageKind.SIGN_IN:
            return _sign_in(ctx, message, reader, given["url"], given["code"])
        case MessageKind.FACTOR_NOTICE:
            subject = text("About your second factor at Chung Tay")
            return render("factor_notice", subject, reader, what=given["what"])
        case MessageKind.INVITATION:
            role = translate(ROLES[Role(given["role"])], reader.language)
            subject = text("{name} invites you to Chung Tay", name=given["by"])
            shown = {"role": role, "until": wording.date_long(until, reader.language)}
            return render("invitation", subject, reader, given=given, **shown)
        case MessageKind.NEW_ADDRESS:
            subject = text("Is this your new address for Chung Tay?")
            last = wording.clock(until)
            return render("new_address", subject, reader, url=given["url"], until=last)
        case _:
            subject = text("Somebody wants to change a mail address at Chung Tay")
            return render("address_notice", subject, reader, taken=given["why"] == "taken")


def _sign_in(ctx: Context, message: Claimed, reader: Reader, url: str, code: str) -> Letter:
    """The link and the code that let somebody in."""
    zone = ZoneInfo(ctx.settings.timezone)
    asked, ends = (at.astimezone(zone) for at in (message.due_at, message.useless_after))
    half = len(code) // 2
    return render(
        "sign_in",
        text("Sign in to Chung Tay, asked for at {time}", time=wording.clock(asked)),
        reader,
        url=url,
        code=f"{code[:half]}-{code[half:]}",
        until=wording.clock(ends),
    )
