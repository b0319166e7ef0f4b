"""Certificates of service: issued with a code that anybody may check, printed, withdrawn."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from scheduler.domain.certificates import Certificate
from scheduler.domain.people import TeacherId
from scheduler.services import certificates
from scheduler.services.context import Context
from scheduler.web.api.bodies import Body, Day, example
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["certificates"])

Code = Annotated[str, Path(max_length=40, description="ABCD-EFGH-JKLM, however cased.")]
PDF = "application/pdf"
_PAPER: dict[int | str, dict[str, Any]] = {
    200: {"content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}
}


@dataclass(frozen=True, slots=True)
class CertificateOut:
    """What the paper says; `url`: where anybody checks it."""

    code: str
    url: str
    name: str
    school: str
    programme: str
    first_day: date
    last_day: date
    lessons: int
    minutes: int
    issued_on: date
    withdrawn_at: datetime | None


class DaysIn(Body):
    """Of which days; what is left out is the newest term's."""

    first_day: Day | None = None
    last_day: Day | None = None

    model_config = example(first_day="2023-10-02", last_day="2023-12-31")


def _certificate(ctx: Context, found: Certificate) -> CertificateOut:
    says = found.facts
    return CertificateOut(
        code=found.code,
        url=certificates.address(ctx, found),
        name=says.name,
        school=says.school,
        programme=says.programme,
        first_day=says.days.first_day,
        last_day=says.days.last_day,
        lessons=says.held.lessons,
        minutes=says.held.minutes,
        issued_on=found.issued_on,
        withdrawn_at=found.withdrawn_at,
    )


@router.get("/teachers/{teacher_id}/certificates")
def of_teacher(ctx: Ctx, actor: ApiActor, teacher_id: RowId) -> list[CertificateOut]:
    """All certificates of a teacher, withdrawn ones too."""
    found = certificates.of_teacher(ctx, actor, TeacherId(teacher_id))
    return [_certificate(ctx, each) for each in found]


@router.post("/teachers/{teacher_id}/certificates", status_code=201)
def issue(ctx: Ctx, actor: ApiActor, teacher_id: RowId, body: DaysIn) -> CertificateOut:
    """A certificate of the lessons a teacher gave; the same figures give the same one again."""
    teacher, days = TeacherId(teacher_id), (body.first_day, body.last_day)
    return _certificate(ctx, certificates.issue(ctx, actor, teacher, *days))


@router.post("/certificates", status_code=201)
def issue_all(ctx: Ctx, actor: ApiActor, body: DaysIn) -> list[CertificateOut]:
    """Certificates for all who gave a lesson on these days."""
    found = certificates.issue_all(ctx, actor, body.first_day, body.last_day)
    return [_certificate(ctx, each) for each in found]


@router.get("/certificates/{code}")
def one_certificate(ctx: Ctx, actor: ApiActor, code: Code) -> CertificateOut:
    """One certificate, for its teacher and their coordinators."""
    return _certificate(ctx, certificates.visible(ctx, actor, code))


@router.get("/certificates/{code}/paper", response_class=Response, responses=_PAPER)
def paper(ctx: Ctx, actor: ApiActor, code: Code) -> Response:
    """The same as a PDF: one page in Vietnamese, one in English."""
    found = certificates.visible(ctx, actor, code)
    return Response(certificates.printed(ctx, [found])[0], media_type=PDF)


@router.post("/certificates/{code}/withdraw")
def withdraw(ctx: Ctx, actor: ApiActor, code: Code) -> CertificateOut:
    """Take a certificate back: its page then says that it is no longer valid."""
    return _certificate(ctx, certificates.withdraw(ctx, actor, code))
