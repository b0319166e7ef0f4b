"""Every route of the API, and bodies for it: one as its schema shows, and odd ones."""

from functools import cache

from fastapi.routing import APIRoute, iter_route_contexts

from scheduler.web import api
from scheduler.web.api import openapi


@cache
def described():
    return openapi.describe(api.rooms)


def routes():
    """(method, path) of every route under /api/v1."""
    found = [
        (method, context.path)
        for context in iter_route_contexts(api.rooms.routes)
        if isinstance(context.original_route, APIRoute)
        for method in sorted(context.original_route.methods or ())
    ]
    assert len(found) > 60  # a test of every route must meet them
    return found


def operations():
    """method, path and what the description says of it."""
    return [
        (method.upper(), path, operation)
        for path, methods in described()["paths"].items()
        for method, operation in methods.items()
    ]


def resolved(schema, schemas):
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


def body_schema(operation, schemas):
    """The schema of the JSON that the route takes; None: it takes none."""
    if "requestBody" not in operation:
        return None
    return resolved(operation["requestBody"]["content"]["application/json"]["schema"], schemas)
