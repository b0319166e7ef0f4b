"""Backups on a shelf: what each is called, and which of them are still needed.  Pure."""

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# Until then somebody may want to go back to the version of before.
BEFORE_UPGRADE_KEPT = timedelta(days=31)
LATE = timedelta(hours=26)  # a nightly backup has been missed

_NAME = re.compile(
    r"chungtay-(\d{4}-\d\d-\d\dT\d{6}Z)(-before-(?P<revision>[A-Za-z0-9_]{1,32}))?\.backup"
)
_STAMP = "%Y-%m-%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Copy:
    """One backup by its name.  `before`: the schema that an upgrade was to bring; else empty."""

    name: str
    at: datetime
    before: str = ""


@dataclass(frozen=True, slots=True)
class Keep:
    """The newest of each of so many days, weeks and months that have one."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 0


def name_of(at: datetime, before: str = "") -> str:
    """chungtay-2026-11-28T021500Z.backup: in UTC, so that names are in order of time."""
    stamp = at.astimezone(UTC).strftime(_STAMP)
    return f"chungtay-{stamp}-before-{before}.backup" if before else f"chungtay-{stamp}.backup"


def read(name: str) -> Copy | None:
    """None for a name that is not one of ours."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        at = datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC)
    except ValueError:  # 30 February
        return None
    return Copy(name, at, found["revision"] or "")


def superfluous(
    copies: Iterable[Copy], keep: Keep, zone: ZoneInfo, now: datetime
) -> tuple[Copy, ...]:
    """Those that may go, the oldest first.  The newest stays, whatever is to be kept."""
    ordered = sorted(copies, key=lambda each: each.at, reverse=True)
    usual = [each for each in ordered if not each.before]
    kept = set(usual[:1])
    for most, period in ((keep.daily, _day), (keep.weekly, _week), (keep.monthly, _month)):
        kept.update(_newest_of_each(usual, most, period, zone))
    kept.update(x for x in ordered if x.before and now - x.at <= BEFORE_UPGRADE_KEPT)
    return tuple(each for each in reversed(ordered) if each not in kept)


def _newest_of_each(
    ordered: Iterable[Copy], most: int, period: Callable[[datetime], Hashable], zone: ZoneInfo
) -> tuple[Copy, ...]:
    first: dict[Hashable, Copy] = {}
    for each in ordered:
        first.setdefault(period(each.at.astimezone(zone)), each)
    return tuple(first.values())[:most]


def _day(at: datetime) -> Hashable:
    return at.date()


def _week(at: datetime) -> Hashable:
    return at.isocalendar()[:2]


def _month(at: datetime) -> Hashable:
    return at.year, at.month
