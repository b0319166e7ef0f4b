"""What a program believes: that it asks for the first time, and that nothing has changed."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
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


@dataclass(frozen=True, slots=True)
class Belief:
    """How the caller read what is to be changed, by the tag of If-Match if there is one."""

    tag: str | None

    def seen(self, told: Fingerprint | None = None) -> Fingerprint:
        """The tag, or what the body says; 428 for who looked at nothing."""
        if self.tag is None:
            if told is None:
                raise HTTPException(428)
            return told
        if len(self.tag) < 3 or not (self.tag[0] == self.tag[-1] == '"') or '"' in self.tag[1:-1]:
            raise HTTPException(412)  # a list, a weak tag, or "whatever is there"
        return Fingerprint(self.tag[1:-1])


def believed(request: Request) -> Belief:
    """Of routes that change what was read; the description tells of If-Match where this is."""
    return Belief(request.headers.get("if-match"))


Believed = Annotated[Belief, Depends(believed)]


def tag(response: Response, fingerprint: str) -> None:
    """Show a fingerprint as the tag that If-Match wants."""
    response.headers["etag"] = f'"{fingerprint}"'
