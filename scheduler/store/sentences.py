"""Sentences for readers as they are kept: by msgid and values, told later in any language."""

from typing import Any

from scheduler.errors import Text


def packed(sentence: Text) -> dict[str, Any]:
    """As a JSON value."""
    values = {name: packed(v) if isinstance(v, Text) else v for name, v in sentence.values.items()}
    plain = {name: v if isinstance(v, dict | int) else str(v) for name, v in values.items()}
    return {"msgid": sentence.msgid, "values": plain}


def unpacked(kept: dict[str, Any]) -> Text:
    """The sentence again."""
    values = {name: unpacked(v) if isinstance(v, dict) else v for name, v in kept["values"].items()}
    return Text(kept["msgid"], values)
