"""What the API says of itself: OpenAPI 3.1, made from its routes."""

from copy import deepcopy
from functools import cache
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from starlette.responses import JSONResponse, Response

from scheduler.errors import text
from scheduler.locale import Language
from scheduler.web import guard
from scheduler.web.api.beliefs import believed
from scheduler.web.api.describing import explained, spoken
from scheduler.web.guard import ApiActor

PROBLEM = "#/components/schemas/Problem"
FAULT = "#/components/schemas/Fault"
_FAULT = {
    "type": "object",
    "required": ["field", "detail"],
    "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": FAULT}},
    },
}
_REFUSED = {"application/problem+json": {"schema": {"$ref": PROBLEM}}}
_BEARER = {
    "description": str(text("Says that an access token is wanted.")),
    "schema": {"type": "string"},
    "required": True,
}
_SECONDS = {
    "description": str(text("In how many seconds it may be tried again.")),
    "schema": {"type": "integer", "minimum": 1},
    "required": True,
}
# Every way in which a route may fail has the same form.
REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {
        "description": str(text("No access token, or one that is not good any more.")),
        "headers": {"WWW-Authenticate": _BEARER},
    },
    403: {
        "description": str(text("What is asked about may be seen; this may not be done with it."))
    },
    404: {"description": str(text("It is not there, or not for the account of this token."))},
    409: {"description": str(text("It does not stand as the caller believes: read it again."))},
    422: {
        "description": str(text("It cannot be taken as it is; `errors` says why, field by field."))
    },
    429: {"description": str(text("Too often.")), "headers": {"Retry-After": _SECONDS}},
    "default": {"description": str(text("Refused, with the reason in the reader's language."))},
}
for _refusal in REFUSALS.values():
    _refusal["content"] = _REFUSED
_ABOUT = text(
    "Everything that people do on pages, for programs.  Send an access token as "
    "`Authorization: Bearer …`; it may do what its scopes say, and never more than its person "
    "may.  What is not there and what is not yours are answered alike: 404."
)

_DONE = text("Done, and this is how it stands now.")
_TOKEN = text(
    "An access token of /account/tokens.  What stands beside it at an operation is the scope that "
    "it must have there."
)


def routed(rooms: APIRouter) -> APIRouter:
    """The route under which a description of all these rooms is read."""
    about = APIRouter()

    @cache
    def described(language: Language) -> dict[str, Any]:
        return describe(rooms, language)

    @about.get("/api/openapi.json", include_in_schema=False)
    def openapi(actor: ApiActor, lang: Language | None = None) -> Response:
        """The description of this API, in the language asked for or else of the account."""
        return JSONResponse(described(lang or Language(actor.language)))

    return about


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": str(
        text("The same request under one key is done once, and answered alike for a day.")
    ),
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
}
_TAG = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": str(
        text(
            "The ETag that was read, instead of the fingerprint in the body: 412 when it is not so "
            "any more, 428 without either."
        )
    ),
    "schema": {"type": "string", "pattern": '^"[!#-~]{1,64}"$'},
}


def _by_route(rooms: APIRouter, made: dict[str, Any]) -> None:
    """What routes take beside their parameters, and which scope they need of a token."""
    for found in iter_route_contexts(rooms.routes):
        needs, calls = guard.needs_of(found), set(guard.calls_of(found))
        for method in found.methods or ():
            operation = made["paths"][found.path][method.lower()]
            more = [_KEY] if method == "POST" else []
            more += [_TAG] if believed in calls else []
            if more:
                operation.setdefault("parameters", []).extend(deepcopy(more))
            if needs is not None:
                operation["security"] = [{"token": [needs.scope(method).value]}]


def describe(rooms: APIRouter, language: Language = Language.EN) -> dict[str, Any]:
    """In English its words are those of the code; in another language as in its catalogue."""
    made = get_openapi(
        title="Chung Tay", version="1", openapi_version="3.1.0",
        description=_ABOUT.msgid, routes=rooms.routes,
    )  # fmt: skip
    for operations in made["paths"].values():
        for operation in operations.values():
            operation["summary"] = operation.pop("description").partition("\n")[0]
            for response in operation["responses"].values():
                if response["description"] == "Successful Response":
                    response["description"] = _DONE.msgid
    _by_route(rooms, made)
    parts = made.setdefault("components", {})
    parts.setdefault("schemas", {}).update(Problem=deepcopy(_PROBLEM), Fault=deepcopy(_FAULT))
    explained(made)
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": _TOKEN.msgid}
    }
    made["security"] = [{"token": []}]
    told: dict[str, Any] = spoken(made, language)
    return told
