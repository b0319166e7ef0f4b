"""What is wrong with the body or the query of a program, field by field, as sentences."""

from collections.abc import Iterable, Mapping
from typing import Any

from scheduler.errors import Text, text

MOST_FAULTS = 50  # a reader mends no more at once
LONGEST_NAME = 100

# What pydantic calls a fault, and what we say of it.
_SENTENCES: dict[str, Text] = {
    "missing": text("Fill this in."),
    "extra_forbidden": text("There is no such field."),
    "json_invalid": text("This is no JSON."),
    "string_too_short": text("Fill this in."),
    "string_type": text("Write a text."),
    "string_pattern_mismatch": text("Write the time like this: {example}.", example="07:30"),
    "string_unicode": text("This holds signs that cannot be stored."),
    "bool_type": text("Write true or false."),
    "list_type": text("Write a list."),
    "tuple_type": text("Write a list."),
    "model_type": text("Write an object."),
    "model_attributes_type": text("Write an object."),
    "dict_type": text("Write an object."),
    "int_type": text("Write a whole number."),
    "int_parsing": text("Write a whole number."),
    "int_parsing_size": text("Write a whole number."),
    "int_from_float": text("Write a whole number."),
    "float_type": text("Write a number."),
    "float_parsing": text("Write a number."),
    "finite_number": text("Write a number."),
}
_INSTANT = text("Write an instant with its zone, like {example}.", example="2023-10-02T07:30+07:00")
_ELSE = text("This cannot be read.")


def fields(faults: Iterable[Mapping[str, Any]]) -> dict[str, Text]:
    """A sentence for each field, by its path inside the body, like moves.3.teacher; `body`: the
    whole of it."""
    found: dict[str, Text] = {}
    for fault in faults:
        found.setdefault(_name(fault), _sentence(fault))
        if len(found) == MOST_FAULTS:
            break
    return found


def _name(fault: Mapping[str, Any]) -> str:
    """Names come from whoever sent them: short, and in signs that any answer can hold."""
    path = fault["loc"]
    inside = () if fault["type"] == "json_invalid" else path[1:]
    name = ".".join(map(str, inside or path[:1]))[:LONGEST_NAME]
    return name.encode("ascii", "backslashreplace").decode()


def _sentence(fault: Mapping[str, Any]) -> Text:
    kind, known = str(fault["type"]), fault.get("ctx") or {}
    match kind:
        case "value_error" if isinstance(known["error"].args[0], Text):
            said: Text = known["error"].args[0]
            return said
        case "greater_than_equal":
            return text("Not below {least}.", least=known["ge"])
        case "less_than_equal":
            return text("Not above {most}.", most=known["le"])
        case "string_too_long":
            return text("Write at most {most} letters.", most=known["max_length"])
        case "too_long":
            return text("At most {most} at once.", most=known["max_length"])
        case "too_short":
            return text("At least {least}.", least=known["min_length"])
        case "enum" | "literal_error" | "union_tag_invalid":
            names = str(known.get("expected") or known.get("expected_tags")).replace(" or ", ", ")
            return text("Write one of these: {names}.", names=names)
        case _ if kind.startswith(("datetime_", "timezone_")):
            return _INSTANT
    return _SENTENCES.get(kind, _ELSE)
