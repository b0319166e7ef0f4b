"""Copies for when there is no network: which pages a browser may keep, and whose they are.

A browser keeps them only after its reader pressed the button for it (static/keep.js); every page
says whose it is, so that the copies go as soon as anybody else's page is seen (static/sw.js).
"""

from scheduler import security
from scheduler.domain.access import Actor, Role

HEADER = "x-reader"
NOBODY = "-"
OFFLINE = "/offline"

_PAGES = ((Role.TEACHER, ("/teacher", "/teacher/lessons")), (Role.SCHOOL, ("/school",)))


def pages_of(actor: Actor) -> tuple[str, ...]:
    """What may be kept for them; of those who see everybody's data, nothing."""
    if actor.with_role(Role.COORDINATOR, Role.ADMIN):
        return ()
    return tuple(path for role, paths in _PAGES if actor.with_role(role) for path in paths)


def reader(key: bytes, actor: Actor | None) -> str:
    """Whose page it is, in letters that name nobody."""
    return security.stamp(key, "reader", str(actor.person_id)) if actor else NOBODY
