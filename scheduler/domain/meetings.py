"""Where lessons meet: addresses of rooms, as coordinators may write them.  Pure."""

import re

from scheduler.domain import line
from scheduler.errors import Text, text

ROOM = "{room}"  # where the name that nobody guesses is filled in
LONGEST = 500
_PLAIN = re.compile(r"[!-~]+")  # what an address may hold as it is


def fault(address: str, *, shared: bool) -> Text | None:
    """What is wrong with an address; `shared`: many lessons meet at it, each in a room of its own.

    The host is fixed: pages may only ask hosts that are known to them.
    """
    if len(address) > LONGEST or not _PLAIN.fullmatch(address):
        return text("Copy the whole address, without spaces. It begins with https://.")
    host = line.origin(address.replace(ROOM, ""))
    if host is None or host != line.origin(address.replace(ROOM, "x")):
        return text("Copy the whole address, without spaces. It begins with https://.")
    if shared and address.count(ROOM) != 1:
        return text(
            "Write {room} once, where the name of each lesson's room belongs: {example}.",
            room=ROOM,
            example=f"https://meet.jit.si/chungtay-{ROOM}",
        )
    if {"{", "}"} & set(address.replace(ROOM, "")):
        return text("Of braces only {room} may stand in it.", room=ROOM)
    return None
