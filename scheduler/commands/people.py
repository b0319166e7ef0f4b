"""Commands for people: their roles and their links."""

from datetime import timedelta

import click

from scheduler.commands import opening
from scheduler.domain.access import Role
from scheduler.services import access_tokens, accounts, factors, feeds, system


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


@user.command("reset-factor")
@click.argument("email")
def user_reset_factor(email: str) -> None:
    """Forget a person's second factor and sign them out; they set up a new one at sign-in."""
    with opening.ready_context() as ctx:
        factors.reset(ctx, email)
        click.echo(f"{email}: no second factor any more, and signed out everywhere")


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
