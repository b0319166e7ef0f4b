"""What the engine is to avoid, and how much: the weights of a programme."""

from dataclasses import asdict, dataclass

from scheduler.domain import access
from scheduler.domain import weights as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.terms import Programme, ProgrammeId
from scheduler.domain.weights import Weights
from scheduler.errors import Invalid, NotFound
from scheduler.matching.prices import Prices
from scheduler.services.context import Context
from scheduler.store import audits, terms
from scheduler.store import weights as rows
from scheduler.store.database import Session

DEFAULTS = Weights(**asdict(Prices()))  # the prices of PROBLEM.md, each written down once


@dataclass(frozen=True, slots=True)
class OwnWeights:
    """The weights in force; `own` where the programme has set them itself."""

    programme: Programme
    weights: Weights
    own: bool


def of_programme(ctx: Context, actor: Actor, programme_id: ProgrammeId) -> OwnWeights:
    """What its next run works with; raises NotFound for strangers."""
    with ctx.reading() as db:
        programme = _programme(db, actor, programme_id)
        kept = rows.of_programme(db, programme_id)
    return OwnWeights(programme, kept or DEFAULTS, kept is not None)


def choose(ctx: Context, actor: Actor, programme_id: ProgrammeId, new: Weights) -> None:
    """Let the next runs work with these; raises Invalid with the faults by name."""
    if found := rules.faults(new):
        raise Invalid("Some fields need another look.", fields=found)
    _keep(ctx, actor, programme_id, new)


def reset(ctx: Context, actor: Actor, programme_id: ProgrammeId) -> None:
    """Back to the weights that the engine comes with."""
    _keep(ctx, actor, programme_id, None)


def _keep(ctx: Context, actor: Actor, programme_id: ProgrammeId, new: Weights | None) -> None:
    with ctx.transaction() as db:
        _programme(db, actor, programme_id)
        before = rows.of_programme(db, programme_id)
        if new == before:
            return
        rows.keep(db, programme_id, new)
        audits.record(
            db,
            ctx.now(),
            actor.person_id,
            "choose_weights",
            "programme",
            programme_id,
            before=asdict(before or DEFAULTS),
            after=asdict(new or DEFAULTS),
        )


def _programme(db: Session, actor: Actor, programme_id: ProgrammeId) -> Programme:
    if not any(grant.programme_id == programme_id for grant in actor.grants):
        raise NotFound("There is no such programme.")
    access.require(actor, Action.RUN_MATCHING, programme_id)
    return terms.programme(db, programme_id)
