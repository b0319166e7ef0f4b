"""Words and examples for every part of the API's description, in the reader's language."""

from collections.abc import Iterator
from typing import Any

from pydantic import JsonValue

from scheduler.errors import Text
from scheduler.locale import Language, translate
from scheduler.web.api.samples import SHOWN
from scheduler.web.api.words import FIELDS, IN_PATHS, KINDS

_DAY, _INSTANT = "2023-10-04", "2023-10-04T07:30:00+07:00"
_FORMATS = {"date": _DAY, "date-time": _INSTANT, "byte": "TcOj"}


def explained(made: dict[str, Any]) -> None:
    """Give each parameter, each schema and each of its fields words, and each schema an example."""
    schemas: dict[str, Any] = made["components"]["schemas"]
    for operations in made["paths"].values():
        for operation in operations.values():
            for each in operation.get("parameters", ()):
                if each["name"] in IN_PATHS and "description" not in each:
                    each["description"] = IN_PATHS[each["name"]].msgid
                each.get("schema", {}).pop("description", None)  # the same once more
    for name, schema in schemas.items():
        said = KINDS[name].msgid if name in KINDS else schema.get("description", "")
        schema["description"] = " ".join(said.split())
        for field, part in schema.get("properties", {}).items():
            part["description"] = FIELDS[field].msgid
        if "properties" in schema and "examples" not in schema:
            schema["examples"] = [_shown(schema, "", schemas)]


def _shown(schema: dict[str, Any], name: str, schemas: dict[str, Any]) -> JsonValue:
    """One value that the schema takes; `name`: of the field that it is in."""
    match schema:
        case {"$ref": str(where)}:
            return _shown(schemas[where.rpartition("/")[2]], name, schemas)
        case {"anyOf": [first, *_]}:
            return _shown(first, name, schemas)
        case {"enum": [first, *_]} | {"const": first} | {"examples": [first, *_]}:
            value: JsonValue = first
            return value
        case {"properties": dict(fields)}:
            return {each: _shown(part, each, schemas) for each, part in fields.items()}
        case {"type": "object"}:
            key = _shown(schema.get("propertyNames", {"type": "string"}), "code", schemas)
            return {str(key): _shown(schema.get("additionalProperties", {}), "", schemas)}
        case {"type": "array", "items": dict(items)}:
            return [_shown(items, name, schemas)]
    return _plain(schema, name)


def _plain(schema: dict[str, Any], name: str) -> JsonValue:
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return int(schema.get("minimum", 1)) or 1
    if kind == "boolean":
        return True
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    return SHOWN.get(name, name)


def spoken(part: Any, language: Language) -> Any:
    """The same with every description and summary in that language."""
    if isinstance(part, list):
        return [spoken(each, language) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        name: translate(Text(value), language)
        if name in ("description", "summary") and isinstance(value, str)
        else spoken(value, language)
        for name, value in part.items()
    }


def sentences(part: Any) -> Iterator[str]:
    """Every description and summary in a part of the description."""
    if isinstance(part, list):
        for each in part:
            yield from sentences(each)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name in ("description", "summary") and isinstance(value, str):
                yield value
            else:
                yield from sentences(value)
