"""Fixes of gaps, and what plans suppose of them, as JSON values and back."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from scheduler.domain.plans import Fix, FixKind, Supposition


def fix_kept(fix: Fix) -> dict[str, Any]:
    """Without what it leaves open."""
    values = asdict(fix) | {"day": fix.day and fix.day.isoformat()}
    return {name: value for name, value in values.items() if value is not None}


def fix_read(kept: Mapping[str, Any]) -> Fix:
    day = date.fromisoformat(kept["day"]) if "day" in kept else None
    return Fix(**{**kept, "kind": FixKind(kept["kind"]), "day": day})


def kept(supposes: Iterable[Supposition]) -> list[dict[str, Any]] | None:
    """None: nothing is supposed."""
    return [
        {"plan": s.plan_id, "request": s.request_id, "agreed": s.agreed, "fix": fix_kept(s.fix)}
        for s in supposes
    ] or None


def read(column: Iterable[Mapping[str, Any]] | None) -> tuple[Supposition, ...]:
    return tuple(
        Supposition(one["plan"], one["request"], fix_read(one["fix"]), one["agreed"])
        for one in column or ()
    )
