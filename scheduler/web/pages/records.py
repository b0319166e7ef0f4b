"""Whether a certificate is ours and what it says: for anybody who holds the paper."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler import origin
from scheduler.domain.limits import VERIFY_BY_ADDRESS, network_of
from scheduler.locale import Language
from scheduler.services import certificates, limits, paperwork
from scheduler.web import frame, guard
from scheduler.web.guard import Ctx
from scheduler.web.view import render

router = APIRouter()


@router.get("/verify/{code}")
def verify(request: Request, ctx: Ctx, code: str) -> Response:
    """No more than the paper says, so that nobody learns anything who does not hold one."""
    limits.take(ctx, VERIFY_BY_ADDRESS, network_of(origin.current().address))
    found = certificates.check(ctx, code)
    language = Language(frame.language_of(request, guard.seen(request)))
    return render(
        request,
        "verify.html",
        status=200 if found else 404,
        said=paperwork.checked(found, language) if found else None,
    )
