"""Where gateways report what became of messages: signed by them, for no person to see."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from scheduler.domain.messages import Channel
from scheduler.errors import ChungTayError, Conflict, NotAllowed
from scheduler.services import gateways
from scheduler.services.gateways import Report
from scheduler.web.guard import Ctx

router = APIRouter()

LARGEST_REPORT = 8 * 1024


async def raw_body(request: Request) -> bytes:
    """The bytes as they were signed; what is larger than any report is not read to its end."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_REPORT:
            raise HTTPException(413)
    return body


@router.post("/gateway/{channel}")
def report(
    ctx: Ctx,
    channel: str,
    body: Annotated[bytes, Depends(raw_body)],
    timestamp: Annotated[str, Header(alias="chungtay-timestamp")] = "",
    signature: Annotated[str, Header(alias="chungtay-signature")] = "",
) -> Response:
    """200: noted; 401: not signed as agreed; 409: known already; 503: ask again in a moment."""
    if channel not in (Channel.SMS, Channel.ZALO):
        raise HTTPException(404)
    try:
        gateways.verify(ctx, Channel(channel), timestamp, signature, body)
    except NotAllowed as error:
        return _said(401, error)
    told = _read(body)
    if told is None:
        return JSONResponse({"error": "Send id, state and reason as JSON."}, 422)
    try:
        gateways.report(ctx, Channel(channel), told)
    except Conflict as error:
        return _said(409, error)
    return JSONResponse({"noted": told.id})


def _said(status: int, error: ChungTayError) -> Response:
    return JSONResponse({"error": str(error)}, status)


def _read(body: bytes) -> Report | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    parts = [told.get(name, "") for name in ("id", "state", "reason")]
    if not all(isinstance(part, str) and "\0" not in part for part in parts):
        return None
    return Report(*parts)
