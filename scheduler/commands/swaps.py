"""Swaps as commands; the operator speaks for the teacher who is named."""

from dataclasses import asdict
from datetime import datetime

import click

from scheduler import console
from scheduler.commands import opening
from scheduler.domain.lessons import LessonId
from scheduler.domain.swaps import Reply, SwapEnd, SwapId
from scheduler.services import accounts, swaps
from scheduler.services.swaps import Proposal

_by = click.option("--by", required=True, metavar="EMAIL", help="The teacher who says so.")


@click.group()
def swap() -> None:
    """Two teachers exchange a lesson each: ask, accept, decline, withdraw, list."""


@swap.command("ask")
@click.argument("given", type=int)
@click.argument("wanted", type=int)
@_by
@click.option("--words", default="", help="A few words to the colleague.")
@console.json_option
def swap_ask(given: int, wanted: int, by: str, words: str, as_json: bool) -> None:
    """Propose to give lesson GIVEN for lesson WANTED."""
    with opening.ready_context() as ctx:
        teacher = accounts.spoken_for(ctx, accounts.operator(ctx), by)
        found = swaps.ask(ctx, teacher, LessonId(given), LessonId(wanted), words)
        _show(as_json, found)


@swap.command("accept")
@click.argument("proposal", type=int)
@_by
@console.json_option
def swap_accept(proposal: int, by: str, as_json: bool) -> None:
    """Agree: both lessons change hands at once."""
    _answer(proposal, by, Reply.ACCEPT, as_json)


@swap.command("decline")
@click.argument("proposal", type=int)
@_by
@console.json_option
def swap_decline(proposal: int, by: str, as_json: bool) -> None:
    """Say no; nothing changes."""
    _answer(proposal, by, Reply.DECLINE, as_json)


@swap.command("withdraw")
@click.argument("proposal", type=int)
@_by
@console.json_option
def swap_withdraw(proposal: int, by: str, as_json: bool) -> None:
    """Take a proposal back."""
    _answer(proposal, by, Reply.WITHDRAW, as_json)


@swap.command("list")
@console.json_option
def swap_list(as_json: bool) -> None:
    """All proposals of the programme, the newest first."""
    with opening.ready_context() as ctx:
        found = swaps.of_programme(ctx, accounts.operator(ctx))
        console.show(
            as_json,
            {"swaps": [asdict(each) for each in found]},
            lambda: (
                "\n".join(
                    f"{x.id:4} {x.given_id} ⇄ {x.wanted_id} {_standing(x.end, x.deadline)}"
                    for x in found
                )
                or "-"
            ),
        )


def _standing(end: SwapEnd | None, deadline: datetime) -> str:
    return end or f"open until {deadline:%Y-%m-%d %H:%M} UTC"


def _answer(proposal: int, by: str, said: Reply, as_json: bool) -> None:
    with opening.ready_context() as ctx:
        teacher = accounts.spoken_for(ctx, accounts.operator(ctx), by)
        asked = swaps.of_actor(teacher, SwapId(proposal))
        _show(as_json, swaps.answer(ctx, asked, said))


def _show(as_json: bool, found: Proposal) -> None:
    swap_id, end = found.swap.id, found.end
    console.show(
        as_json,
        {"swap": swap_id, "end": end, "deadline": found.swap.deadline},
        lambda: f"{swap_id} {_standing(end, found.swap.deadline)}",
    )
