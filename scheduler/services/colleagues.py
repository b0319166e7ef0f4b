"""Who has the same role at the same school as whoever asks."""

from dataclasses import dataclass

from scheduler.domain.access import Actor, Grant, Role
from scheduler.domain.departures import GrantId, Held
from scheduler.services.context import Context
from scheduler.store import roles
from scheduler.store.roles import Colleague


@dataclass(frozen=True, slots=True)
class Group:
    """One school of the actor, by the role there, and everybody with that role."""

    held: Held
    people: tuple[Colleague, ...]


def of_actor(ctx: Context, actor: Actor, role: Role) -> tuple[Group, ...]:
    """The actor's schools in this role, each with its people, the oldest first."""
    with ctx.reading() as db:
        mine = roles.of_people(db, [actor.person_id])
        return tuple(
            Group(held, roles.colleagues(db, held)) for held in mine if held.grant.role is role
        )


def own(ctx: Context, actor: Actor) -> dict[GrantId, Grant]:
    """The actor's roles by their numbers."""
    with ctx.reading() as db:
        return {held.id: held.grant for held in roles.of_people(db, [actor.person_id])}
