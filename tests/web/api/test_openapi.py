"""What the API says of itself holds for each of its routes."""

import re

import jsonschema

from scheduler.locale import Language
from scheduler.web.api import openapi, rooms
from scheduler.web.api.bodies import Body
from scheduler.web.api.describing import sentences
from tests.web.api.routes import body_schema, described, operations, resolved, routes

REFUSALS = {"401", "403", "404", "409", "422", "429", "default"}


def bodies(kind=Body):
    for each in kind.__subclasses__():
        if not each.__name__.startswith("_"):
            yield each
        yield from bodies(each)


def references(part):
    if isinstance(part, dict):
        yield from ([part["$ref"]] if isinstance(part.get("$ref"), str) else [])
        yield from (ref for each in part.values() for ref in references(each))
    elif isinstance(part, list):
        yield from (ref for each in part for ref in references(each))


def test_it_is_read_with_an_access_token_alone(api, site, cast):
    assert site.browser().get("/api/openapi.json").status_code == 401
    assert site.of(cast.actors["coordinator"]).get("/api/openapi.json").status_code == 401
    told = api("teacher1").get("/api/openapi.json")
    assert (told.status_code, told.json()) == (200, openapi.describe(rooms, Language.VI))


def test_it_is_read_in_the_language_that_is_asked_for(api):
    told = api("teacher1").get("/api/openapi.json", params={"lang": "en"})
    assert told.json() == described()
    assert api("teacher1").get("/api/openapi.json", params={"lang": "fr"}).status_code == 422


def test_it_is_the_same_api_in_other_words_to_the_last_one():
    other = openapi.describe(rooms, Language.VI)
    assert spoken_of(other) == spoken_of(described())
    pairs = set(zip(sentences(described()), sentences(other), strict=True))
    assert len(pairs) > 400
    assert {english for english, said in pairs if english == said} == set()


def spoken_of(part):
    """The description without its words."""
    if isinstance(part, list):
        return [spoken_of(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        name: None
        if name in ("description", "summary") and isinstance(value, str)
        else spoken_of(value)
        for name, value in part.items()
    }


def test_every_part_of_it_has_words_and_every_shape_an_example_that_it_takes():
    made = described()
    for method, path, told in operations():
        for each in told.get("parameters", ()):
            assert each.get("description"), (method, path, each["name"])
        assert all(each["description"] for each in told["responses"].values()), (method, path)
    for name, schema in made["components"]["schemas"].items():
        assert schema["description"], name
        for field, part in schema.get("properties", {}).items():
            assert part["description"], (name, field)
        if "properties" in schema:
            where = {"$ref": f"#/components/schemas/{name}", "components": made["components"]}
            (shown,) = schema["examples"]
            jsonschema.Draft202012Validator(where).validate(shown)


def test_every_route_of_the_api_is_in_it_and_no_page():
    told = {(method, path) for method, path, _ in operations()}
    assert told == set(routes())
    assert all(path.startswith("/api/v1/") for _, path in told)
    assert described()["openapi"] == "3.1.0"


def test_every_operation_says_what_it_does_and_where_it_belongs():
    found = operations()
    for method, path, told in found:
        where = (method, path)
        assert re.fullmatch(r"[A-Z].{10,110}\.", told["summary"]), where
        assert len(told["tags"]) == 1, where
        for code in REFUSALS:
            assert "application/problem+json" in told["responses"][code]["content"], (where, code)
        wanted = {"GET": {"200"}, "POST": {"200", "201", "204"}, "PUT": {"200"}, "DELETE": {"204"}}
        assert told["responses"].keys() - REFUSALS <= wanted[method], where
        in_path = {x["name"] for x in told.get("parameters", ()) if x["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path)), where
        assert not (method == "GET" and "requestBody" in told), where
    names = [told["operationId"] for _, _, told in found]
    assert len(set(names)) == len(names)


def test_every_reference_leads_somewhere():
    made = described()
    known = {f"#/components/schemas/{name}" for name in made["components"]["schemas"]}
    assert set(references(made)) <= known


def test_every_answer_has_a_shape_of_its_own():
    """A page of an API that promises "anything" promises nothing."""
    schemas = described()["components"]["schemas"]
    for method, path, told in operations():
        done = next(
            told["responses"][code] for code in ("200", "201", "204") if code in told["responses"]
        )
        for kind, content in done.get("content", {}).items():
            shape = resolved(content["schema"], schemas)
            assert shape.keys() & {"properties", "items", "anyOf", "format"}, (method, path, kind)


def test_bodies_take_no_unknown_field_and_show_an_example_that_they_take():
    found = list(bodies())
    schemas = described()["components"]["schemas"]
    assert len(found) > 15
    for each in found:
        assert each.model_config["extra"] == "forbid", each
        assert each.model_validate(each.shown()), each
        assert schemas[each.__name__]["additionalProperties"] is False, each
        assert schemas[each.__name__]["examples"] == [each.shown()], each


def test_a_route_takes_a_body_of_these_or_none():
    schemas = described()["components"]["schemas"]
    shapes = [schemas[each.__name__] for each in bodies()]
    for method, path, told in operations():
        taken = body_schema(told, schemas)
        assert taken is None or taken in shapes, (method, path)


def test_days_and_instants_say_from_which_years_they_may_be():
    """What the schema promises is taken: else programs learn of the bounds by being refused."""
    told = []

    def see(part):
        if isinstance(part, dict):
            told.extend([part] if part.get("format") in ("date", "date-time") else [])
            for each in part.values():
                see(each)
        elif isinstance(part, list):
            for each in part:
                see(each)

    schemas = described()["components"]["schemas"]
    for _, _, operation in operations():
        see(operation.get("parameters", []))
        see(body_schema(operation, schemas) or {})
    assert len(told) > 10
    for each in told:
        assert re.match(each["pattern"], "2023-10-02"), each
        assert re.match(each["pattern"], "2100-12-31"), each
        assert not re.match(each["pattern"], "1999-12-31"), each
        assert not re.match(each["pattern"], "2101-01-01"), each


def test_every_operation_says_how_it_refuses_too_many_and_unknown_callers():
    for method, path, operation in operations():
        told = operation["responses"]
        assert told["429"]["headers"]["Retry-After"]["required"], (method, path)
        assert told["401"]["headers"]["WWW-Authenticate"]["required"], (method, path)
