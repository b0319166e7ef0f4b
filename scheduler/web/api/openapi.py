"""What the API says of itself: OpenAPI 3.1, made from its routes."""

from functools import cache
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse, Response

from scheduler.errors import Text, text
from scheduler.locale import Language, translate
from scheduler.web.guard import ApiActor

PROBLEM = "#/components/schemas/Problem"
_FAULT = {
    "type": "object",
    "required": ["field", "detail"],
    "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457; `errors` names the fields that cannot be taken, each in a sentence.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": _FAULT},
    },
}
_REFUSED = {"application/problem+json": {"schema": {"$ref": PROBLEM}}}
_SECONDS = {"schema": {"type": "integer", "minimum": 1}, "required": True}
# Every way in which a route may fail has the same form.
REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {
        "description": "No access token, or one that is not good any more.",
        "headers": {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}},
    },
    403: {"description": "What is asked about may be seen; this may not be done with it."},
    404: {"description": "It is not there, or not for the account of this token."},
    409: {"description": "It does not stand as the caller believes: read it again."},
    422: {"description": "It cannot be taken as it is; `errors` says why, field by field."},
    429: {"description": "Too often.", "headers": {"Retry-After": _SECONDS}},
    "default": {"description": "Refused, with the reason in the reader's language."},
}
for _refusal in REFUSALS.values():
    _refusal["content"] = _REFUSED
_ABOUT = text(
    "Everything that people do on pages, for programs.  Send an access token as "
    "`Authorization: Bearer …`; it may do what its person may.  What is not there and what is not "
    "yours are answered alike: 404."
)


def routed(rooms: APIRouter) -> APIRouter:
    """The route under which a description of all these rooms is read."""
    about = APIRouter()

    @cache
    def described(language: Language) -> dict[str, Any]:
        return describe(rooms, language)

    @about.get("/api/openapi.json", include_in_schema=False)
    def openapi(actor: ApiActor) -> Response:
        """The description of this API, in the language of the account."""
        return JSONResponse(described(Language(actor.language)))

    return about


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request under one key is done once, and answered alike for a day.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
}
_TAG = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that was read, instead of the fingerprint in the body: 412 when it is "
    "not so any more, 428 without either.",
    "schema": {"type": "string", "pattern": '^"[!#-~]{1,64}"$'},
}
# What changes only as it was read.
_TAGGED = {("post", "/api/v1/plans/{plan_id}/publish"), ("put", "/api/v1/availability")}


def _headers(made: dict[str, Any]) -> None:
    """What routes take beside their parameters."""
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            more = [_KEY] if method == "post" else []
            more += [_TAG] if (method, path) in _TAGGED else []
            if more:
                operation.setdefault("parameters", []).extend(more)


def describe(rooms: APIRouter, language: Language = Language.EN) -> dict[str, Any]:
    """In English its words are those of the code; in another language as in its catalogue."""
    made = get_openapi(
        title="Chung Tay", version="1", openapi_version="3.1.0",
        description=translate(_ABOUT, language),
        routes=rooms.routes,
    )  # fmt: skip
    for operations in made["paths"].values():
        for operation in operations.values():
            summary, _, more = operation.pop("description").partition("\n")
            operation["summary"] = translate(Text(summary), language)
            operation |= {"description": more.strip()} if more.strip() else {}
    _headers(made)
    parts = made.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = _PROBLEM
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{"token": []}]
    return made
