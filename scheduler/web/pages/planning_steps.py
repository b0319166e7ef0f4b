"""What plans ask of a coordinator next, term by term."""

from dataclasses import dataclass

from scheduler.domain.access import Actor
from scheduler.errors import Text, text
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.services.programmes import Planning
from scheduler.web.terms import in_term


@dataclass(frozen=True, slots=True)
class Step:
    """The next thing to do about plans: why, and the button that does it; `waits`: on a person."""

    why: Text
    label: Text
    href: str
    waits: bool = True


def steps(ctx: Context, actor: Actor) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """What waits for a coordinator, term by term; and how terms that lie ahead stand else."""
    found = [(each, next_step(each)) for each in programmes.planning(ctx, actor)]
    return (
        tuple(step for _, step in found if step.waits),
        tuple(step for seen, step in found if seen.ahead and not step.waits),
    )


def next_step(seen: Planning) -> Step:
    """What the state of a term's plans asks for."""
    # what supposes a change waits for the world, not for a coordinator
    newest = next((draft for draft in seen.drafts if not draft.supposes), None)
    name, matching = seen.term.name, in_term("/coordinator/matching", seen.choice)
    if seen.run and seen.run.open:
        return Step(
            text("The matching engine is looking for a plan for {term}.", term=name),
            text("See how far it is"),
            matching,
        )
    if newest and (seen.published is None or newest.created_at > seen.published.created_at):
        return Step(
            text(
                "A draft for {term} waits for you. Nobody else sees it until you publish it.",
                term=name,
            ),
            text("See what it would change"),
            f"/coordinator/plans/{newest.id}",
        )
    if seen.published is None and not seen.asked:
        return Step(
            text("{term} lies ahead. No school has asked for lessons in it yet.", term=name),
            text("Who is ready"),
            in_term("/coordinator/readiness", seen.choice),
            waits=False,
        )
    if seen.published is None:
        return Step(
            text(
                "Nothing is published for {term} yet. First let the engine look for a plan.",
                term=name,
            ),
            text("Look for a plan"),
            matching,
        )
    return Step(
        text(
            "The timetable of {term} is published. Match again when schools ask for more or"
            " teachers change.",
            term=name,
        ),
        text("Match again"),
        matching,
        waits=False,
    )
