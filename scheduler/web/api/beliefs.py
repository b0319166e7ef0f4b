"""What a program believes: that it asks for the first time, and that nothing has changed."""

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from scheduler.domain.plans import Fingerprint
from scheduler.services import kept_answers
from scheduler.services.kept_answers import Claim
from scheduler.web.guard import ApiActor, Ctx
from scheduler.web.programs import CLAIM

KEY = "idempotency-key"


class Answered(Exception):
    """It was done before, under the same key: this was the answer."""

    def __init__(self, status: int, kind: str, body: bytes) -> None:
        super().__init__(status)
        self.status, self.kind, self.body = status, kind, body


def once(request: Request, ctx: Ctx, actor: ApiActor) -> None:
    """Let a POST under a key in for the first time only."""
    key = request.headers.get(KEY)
    if request.method != "POST" or key is None:
        return
    body: bytes = getattr(request.state, "sent", b"")
    found = kept_answers.begin(ctx, actor, f"POST {request.url.path}", key, body)
    if not isinstance(found, Claim):
        raise Answered(found.status or 500, found.kind, found.body)
    setattr(request.state, CLAIM, found)


def answered(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Answered)  # noqa: S101 - what it is registered for
    headers = {"content-type": error.kind} if error.kind else {}
    return Response(error.body, error.status, {**headers, "idempotency-replayed": "true"})


def seen(request: Request, told: Fingerprint | None) -> Fingerprint:
    """What the caller looked at: by If-Match, or in the body; 428 for who looked at nothing."""
    tag = request.headers.get("if-match")
    if tag is None:
        if told is None:
            raise HTTPException(428)
        return told
    if len(tag) < 3 or not (tag[0] == tag[-1] == '"') or '"' in tag[1:-1]:
        raise HTTPException(412)  # a list, a weak tag, or "whatever is there"
    return Fingerprint(tag[1:-1])


def tag(response: Response, fingerprint: str) -> None:
    """Show a fingerprint as the tag that If-Match wants."""
    response.headers["etag"] = f'"{fingerprint}"'
