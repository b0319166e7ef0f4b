"""How the command line tells what lists did, or would do: as the page of the preview does."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from scheduler.errors import Text, text
from scheduler.locale import Language, spell, translate
from scheduler.services import import_words
from scheduler.services.import_words import Group, Item, Readings
from scheduler.services.imports import Told

_ENTRIES = 10  # of one kind, before it is said how many more there are
_HEADS = (
    *(text("New"), text("Changes"), text("As before"), text("Given up"), text("Not named, stays")),
)
_NONE = "–"


def values(found: Told, language: Language) -> dict[str, Any]:
    """For programs: the counts, and each reading with its place."""
    stays = {
        noun: len(getattr(found.unnamed, noun)) for noun in ("schools", "teachers", "requests")
    }
    readings = [
        {
            "where": translate(each.where, language),
            "column": each.column,
            "found": each.found,
            "meant": each.meant,
            "cells": each.count,
        }
        for each in found.readings
    ]
    return asdict(found.summary) | {"stays": stays, "readings": readings}


def words(found: Told, language: Language) -> str:
    """For people: what changes of each list, and what cells were taken for."""

    def say(message: Text) -> str:
        return translate(message, language)

    groups = import_words.groups(found.changes, found.unnamed)
    lines = [say(_heading(found)), "", *_table(groups, language)]
    if found.followers:
        moved = text("Requests that move with the new bell times of their schools: {count}.",
                     count=found.followers)  # fmt: skip
        lines += ["", say(moved)]
    if found.summary.dry_run:
        lines += _entries(groups, language)
    if found.readings:
        lines += ["", say(text("These cells are written otherwise than we write them. We took them"
                               " for:"))]  # fmt: skip
        for column in import_words.readings(found.readings):
            lines += _reading(column, language)
    return "\n".join(lines)


def _heading(found: Told) -> Text:
    summary = found.summary
    if summary.changes_nothing:
        return text("Everything in these lists is stored already.")
    if summary.dry_run:
        return text("For term {term}. Nothing is stored: this is what the lists would do.",
                    term=summary.term)  # fmt: skip
    return text("The lists are taken over, for term {term}.", term=summary.term)


def _table(groups: Iterable[Group], language: Language) -> Iterator[str]:
    heads = [translate(head, language) for head in _HEADS]
    rows = [
        (
            translate(each.label, language),
            (each.count.new, each.count.changed, each.count.unchanged, each.gone, each.kept),
        )
        for each in groups
        if each.here
    ]
    left = max((len(label) for label, _ in rows), default=0)
    yield "  ".join([" " * left, *heads])
    for label, counts in rows:
        cells = [spell(count, language) if count else _NONE for count in counts]
        fitted = (cell.rjust(len(head)) for cell, head in zip(cells, heads, strict=True))
        yield "  ".join([label.ljust(left), *fitted])


def _entries(groups: Iterable[Group], language: Language) -> Iterator[str]:
    """The first of each kind by name, and what changes of them."""
    for each in groups:
        kinds = (
            (_HEADS[0], each.new, each.count.new),
            (_HEADS[1], each.changed, each.count.changed),
            (_HEADS[3], each.ended, each.gone),
            (_HEADS[4], each.unnamed, each.kept),
        )
        for head, items, count in kinds:
            if not items:
                continue
            yield ""
            yield f"{translate(each.label, language)} · {translate(head, language)}"
            yield from (f"  {_item(item, language)}" for item in items[:_ENTRIES])
            if count > _ENTRIES:
                yield f"  {_more(count - _ENTRIES, language)}"


def _item(item: Item, language: Language) -> str:
    changed = ", ".join(dict.fromkeys(translate(each, language) for each in item.what))
    return f"{item.name}: {changed}" if changed else item.name


def _reading(column: Readings, language: Language) -> Iterator[str]:
    yield f"  {column.column}"
    for each in column.shown:
        more = f" {_more(each.count - 1, language)}" if each.count > 1 else ""
        yield f"    “{each.found}” → {each.meant}  ({translate(each.where, language)}{more})"
    if column.more:
        yield f"    {_more(column.more, language)}"


def _more(count: int, language: Language) -> str:
    return translate(text("and {count} more", count=count), language)
