"""How often one link may be read: a burst at once, then one more each minute.  Pure.

Per link and never per address: Google and Microsoft read for thousands from a few addresses.  Each
process counts for itself, so that behind several processes a link may be read that much more often.
"""

from datetime import datetime, timedelta

EVERY = timedelta(minutes=1)
BURST = 20
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
            if after > full:
                # A clock that was set back must not shut a link out for as long.
                self._whole_at[link_id] = min(whole_at, full)
                return min(after - full, EVERY)
            self._whole_at[link_id] = after
            return None
        if whole_at is None and len(self._whole_at) >= MOST_LINKS:
            self._make_room(now)
        self._whole_at[link_id] = now + EVERY
        return None

    def _make_room(self, now: datetime) -> None:
        """Links that have their whole burst need not be known; if none has, all begin anew."""
        self._whole_at = {link: at for link, at in self._whole_at.items() if at > now}
        if len(self._whole_at) >= MOST_LINKS:
            self._whole_at.clear()
