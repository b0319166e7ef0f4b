"""Where what is being done comes from: the request, and the address that sent it.

Set at the door and by commands; read where something is noted, so that no use case carries it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """`request_id`: its number, in answers, logs and the record; `address`: the client's IP."""

    request_id: str = ""
    address: str = ""


_NOWHERE = Origin()
_current: ContextVar[Origin] = ContextVar("origin", default=_NOWHERE)


def current() -> Origin:
    """Of this very request; an empty one for what the system does by itself."""
    return _current.get()


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """While the block lasts, what is noted comes from there."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)
