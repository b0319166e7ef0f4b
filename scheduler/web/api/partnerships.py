"""Partnerships: what two units pledged each other, and what came of it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.partnerships import MOST, Binding, Partnership, PartnershipId, Terms
from scheduler.services import partnerships
from scheduler.services.context import Context
from scheduler.web.api.beliefs import Believed, tag
from scheduler.web.api.bodies import Body, Name, Seen, example
from scheduler.web.api.paging import Paged
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(prefix="/partnerships", tags=["partnerships"])

Pledged = Annotated[int, Field(strict=True, ge=0, le=MOST)]


@dataclass(frozen=True, slots=True)
class PartnershipOut:
    """Two units by name, and what they pledged; `fingerprint` is what changing wants to be
    told."""

    id: int
    donor_unit: str
    receiving_unit: str
    lessons_pledged: int
    joint_sessions_pledged: int
    binding: Binding
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ProgressOut:
    """A partnership in the present term: lessons held and still to come; `share` of the pledge."""

    partnership: PartnershipOut
    held: int
    ahead: int
    share: float


class PartnershipIn(Body):
    """Two units by name, each a district or one school; `binding`: what it means for plans."""

    donor_unit: Name
    receiving_unit: Name
    lessons_pledged: Pledged
    joint_sessions_pledged: Pledged = 0
    binding: Binding = Binding.NONE

    model_config = example(
        donor_unit="Long Biên", receiving_unit="Lục Yên", lessons_pledged=400,
        joint_sessions_pledged=4, binding="wish",
    )  # fmt: skip

    @property
    def terms(self) -> Terms:
        return Terms(
            self.donor_unit, self.receiving_unit, self.lessons_pledged,
            self.joint_sessions_pledged, self.binding,
        )  # fmt: skip


class ChangedPartnershipIn(PartnershipIn):
    """All of it as it is to be; `fingerprint`: of how it was read, where it is not sent as
    If-Match."""

    fingerprint: Seen | None = None

    model_config = example(
        donor_unit="Long Biên", receiving_unit="Lục Yên", lessons_pledged=420,
        joint_sessions_pledged=4, binding="wish", fingerprint="5f0c2f9a1b3d4e6f",
    )  # fmt: skip


def _out(found: Partnership) -> PartnershipOut:
    terms = found.terms
    return PartnershipOut(
        id=found.id,
        donor_unit=terms.donor_unit,
        receiving_unit=terms.receiving_unit,
        lessons_pledged=terms.lessons_pledged,
        joint_sessions_pledged=terms.joint_sessions_pledged,
        binding=terms.binding,
        fingerprint=found.fingerprint,
    )


def _one(ctx: Context, actor: Actor, response: Response, which: int) -> PartnershipOut:
    found = partnerships.get(ctx, actor, PartnershipId(which))
    tag(response, found.fingerprint)
    return _out(found)


@router.get("")
def listed(ctx: Ctx, actor: ApiActor, paged: Paged) -> list[ProgressOut]:
    """The partnerships of a coordinator's programme, and how far each has come."""
    found = paged.cut(partnerships.desk(ctx, actor).found, lambda each: (each.partnership.id,))
    return [ProgressOut(_out(x.partnership), x.held, x.ahead, round(x.share, 4)) for x in found]


@router.post("", status_code=201)
def add(ctx: Ctx, actor: ApiActor, response: Response, body: PartnershipIn) -> PartnershipOut:
    """Note what two units pledge each other."""
    return _one(ctx, actor, response, partnerships.add(ctx, actor, body.terms))


@router.get("/{partnership_id}")
def one(ctx: Ctx, actor: ApiActor, partnership_id: RowId, response: Response) -> PartnershipOut:
    """One partnership."""
    return _one(ctx, actor, response, partnership_id)


@router.put("/{partnership_id}")
def change(
    ctx: Ctx, actor: ApiActor, partnership_id: RowId, response: Response, belief: Believed,
    body: ChangedPartnershipIn,
) -> PartnershipOut:  # fmt: skip
    """Note other pledges, or what the partnership means for plans."""
    which = PartnershipId(partnership_id)
    seen = partnerships.seen(ctx, actor, which, belief.seen(body.fingerprint))
    partnerships.change(ctx, actor, which, body.terms, seen)
    return _one(ctx, actor, response, which)


@router.delete("/{partnership_id}", status_code=204)
def remove(ctx: Ctx, actor: ApiActor, partnership_id: RowId, belief: Believed) -> None:
    """Take a partnership back as it was read; the lessons between its units stay."""
    which = PartnershipId(partnership_id)
    partnerships.get(ctx, actor, which)  # for strangers nothing is there to be read first
    seen = partnerships.seen(ctx, actor, which, belief.seen())
    partnerships.remove(ctx, actor, which, seen)
