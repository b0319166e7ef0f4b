"""Commands for people: their roles and their links."""

from datetime import timedelta
from typing import IO

import click

from scheduler.commands import opening
from scheduler.domain.access import Role
from scheduler.errors import text
from scheduler.services import access_tokens, accounts, feeds, own_data, system


@click.group()
def user() -> None:
    """People and their roles."""


@user.command("add")
@click.argument("email")
@click.option(
    "--role", type=click.Choice([r.value for r in Role]), required=True, help="What they may do."
)
@click.option("--name", default="", help="Their name.")
@click.option(
    "--school", default="", metavar="CODE", help="For a school contact: the school's code."
)
def user_add(email: str, role: str, name: str, school: str) -> None:
    """Give a role to a person, who is made when unknown."""
    with opening.context() as ctx:
        system.migrate(ctx)
        actor = accounts.add_user(ctx, email, Role(role), name=name, school_code=school)
        click.echo(f"{actor.email}: {role}")


@user.command("export")
@click.argument("email")
@click.option("-o", "--output", type=click.File("wb"), default="-", help="Where to write it.")
def user_export(email: str, output: IO[bytes]) -> None:
    """Write all that is kept of a person, as JSON without secrets."""
    with opening.ready_context() as ctx:
        output.write(own_data.copy_for(ctx, email))


@user.command("erase")
@click.argument("email")
@click.confirmation_option(prompt="This cannot be undone. Erase this person?")
def user_erase(email: str) -> None:
    """Take a person's data away as soon as a last mail has told them, within an hour.

    Lessons and counts stay.  Whoever has lessons ahead leaves first.
    """
    with opening.ready_context() as ctx:
        own_data.ask_erasure_for(ctx, email)
        opening.say(text("A last mail is planned. When it has gone out, the data are gone."))


@click.command("sign-in-link")
@click.argument("email")
def sign_in_link(email: str) -> None:
    """Print a sign-in link to hand over; it works once, within ten minutes."""
    with opening.ready_context() as ctx:
        click.echo(accounts.operator_link(ctx, email))


@click.command("access-token")
@click.argument("email")
@click.option(
    "--hours", type=click.IntRange(1, 24 * 90), default=12, show_default=True, help="How long."
)
def access_token(email: str, hours: int) -> None:
    """Print an access token for the API, with all that this person may do."""
    with opening.ready_context() as ctx:
        click.echo(access_tokens.issue(ctx, email, timedelta(hours=hours)))


@click.command("feed-link")
@click.argument("email")
def feed_link(email: str) -> None:
    """Print a new calendar link of a person."""
    with opening.ready_context() as ctx:
        click.echo(feeds.link_for_person(ctx, email))
