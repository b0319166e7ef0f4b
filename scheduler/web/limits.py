"""How often one link may be read: a burst at once, then one more each minute.  Pure.

Each process counts for itself, since a write would cost a hundred times what a read does, and
learns once a minute what all of them have given.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from scheduler.domain.limits import READS_BY_LINK

EVERY = READS_BY_LINK.every
BURST = READS_BY_LINK.burst
MOST_LINKS = 10_000


class Limit:
    """Counts reads; kept is one instant a link: when it will have its whole burst again."""

    def __init__(self) -> None:
        self._whole_at: dict[int, datetime] = {}

    def wait(self, link_id: int, now: datetime) -> timedelta | None:
        """Count one read; how long until the next is allowed when this one is too many."""
        whole_at = self._whole_at.get(link_id)
        if whole_at is not None and whole_at > now:
            after, full = whole_at + EVERY, now + BURST * EVERY
            if whole_at > full + BURST * EVERY:
                # A clock that was set back must not shut a link out for as long.
                self._whole_at[link_id] = full
                return EVERY
            if after > full:
                return after - full
            self._whole_at[link_id] = after
            return None
        if whole_at is None and len(self._whole_at) >= MOST_LINKS:
            self._make_room(now)
        self._whole_at[link_id] = now + EVERY
        return None

    def learn(self, whole_at: Mapping[int, datetime]) -> None:
        """Take over when links will have their whole burst again, by the reads of all processes."""
        for link_id, shared in whole_at.items():
            own = self._whole_at.get(link_id)
            if own is not None and own < shared:
                self._whole_at[link_id] = shared

    def _make_room(self, now: datetime) -> None:
        """Links that have their whole burst need not be known; if none has, all begin anew."""
        self._whole_at = {link: at for link, at in self._whole_at.items() if at > now}
        if len(self._whole_at) >= MOST_LINKS:
            self._whole_at.clear()
