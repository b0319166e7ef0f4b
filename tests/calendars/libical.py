"""Debian's libical, the reader inside Evolution, GNOME and KDE; called in place."""

import ctypes
import ctypes.util
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from .node import absent
from .readers import Seen, span


class _Time(ctypes.Structure):
    """struct icaltimetype of libical 3."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("year", "month", "day", "hour", "minute", "second")),
        ("is_date", ctypes.c_int),
        ("is_daylight", ctypes.c_int),
        ("zone", ctypes.c_void_p),
    )


_HANDLE, _TEXT, _KIND = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "icalparser_parse_string": (_HANDLE, [_TEXT]),
    "icalcomponent_free": (None, [_HANDLE]),
    "icalcomponent_count_errors": (ctypes.c_int, [_HANDLE]),
    "icalcomponent_string_to_kind": (_KIND, [_TEXT]),
    "icalcomponent_get_first_component": (_HANDLE, [_HANDLE, _KIND]),
    "icalcomponent_get_next_component": (_HANDLE, [_HANDLE, _KIND]),
    "icalcomponent_get_first_property": (_HANDLE, [_HANDLE, _KIND]),
    "icalproperty_string_to_kind": (_KIND, [_TEXT]),
    "icalproperty_get_value": (_HANDLE, [_HANDLE]),
    "icalproperty_get_value_as_string": (_TEXT, [_HANDLE]),
    "icalproperty_get_datetime_with_component": (_Time, [_HANDLE, _HANDLE]),
    "icalvalue_get_text": (_TEXT, [_HANDLE]),
    "icaltime_as_timet_with_zone": (ctypes.c_int64, [_Time, _HANDLE]),
}


@cache
def _load() -> ctypes.CDLL | None:
    name = ctypes.util.find_library("ical")
    if name is None or not name.endswith(".so.3"):  # the structure above is that of 3
        return None
    library = ctypes.CDLL(name)
    for function, (result, arguments) in _SIGNATURES.items():
        getattr(library, function).restype = result
        getattr(library, function).argtypes = arguments
    return library


def reader() -> Callable[[bytes], list[Seen]]:
    """Reads with libical; skips where it is not installed."""
    library = _load()
    if library is None:
        absent("libical 3 (Debian's libical3) is not installed: it")
    return lambda body: _read(library, body)


def _read(library: Any, body: bytes) -> list[Seen]:
    calendar = library.icalparser_parse_string(body)
    assert calendar, "libical reads nothing at all"
    try:
        assert library.icalcomponent_count_errors(calendar) == 0, "libical finds faults"
        return [_seen(library, event) for event in _parts(library, calendar, b"VEVENT")]
    finally:
        library.icalcomponent_free(calendar)


def _parts(library: Any, whole: int, name: bytes) -> Iterator[int]:
    kind = library.icalcomponent_string_to_kind(name)
    part = library.icalcomponent_get_first_component(whole, kind)
    while part:
        yield part
        part = library.icalcomponent_get_next_component(whole, kind)


def _seen(library: Any, event: int) -> Seen:
    def found(name: bytes, of: int = event) -> int | None:
        kind = library.icalproperty_string_to_kind(name)
        return library.icalcomponent_get_first_property(of, kind)

    def plain(name: bytes, of: int = event) -> str | None:
        it = found(name, of)
        return library.icalproperty_get_value_as_string(it).decode() if it else None

    def text(name: bytes) -> str | None:
        it = found(name)
        value = it and library.icalproperty_get_value(it)
        return library.icalvalue_get_text(value).decode() if value else None

    def instant(name: bytes) -> datetime:
        time = library.icalproperty_get_datetime_with_component(found(name), event)
        assert time.zone, f"{name!r} floats"
        return datetime.fromtimestamp(library.icaltime_as_timet_with_zone(time, time.zone), UTC)

    return Seen(
        uid=text(b"UID"),
        start=instant(b"DTSTART"),
        end=instant(b"DTEND"),
        summary=text(b"SUMMARY"),
        description=text(b"DESCRIPTION"),
        location=text(b"LOCATION"),
        url=plain(b"URL"),
        status=plain(b"STATUS"),
        transp=plain(b"TRANSP"),
        sequence=int(plain(b"SEQUENCE")),
        created=instant(b"CREATED"),
        changed=instant(b"LAST-MODIFIED"),
        stamp=instant(b"DTSTAMP"),
        alarms=tuple(span(plain(b"TRIGGER", alarm)) for alarm in _parts(library, event, b"VALARM")),
    )
