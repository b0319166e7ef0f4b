"""How often one link may be read: a burst at once, then one more each minute.  Pure.

Per link and never per address: Google and Microsoft read for thousands from a few addresses.  Each
process counts for itself, so that behind several processes a link may be read that much more often.
"""

from datetime import UTC, datetime, timedelta

EVERY = timedelta(minutes=1)
BURST = 20
MOST_LINKS = 10_000

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Limit:
    """Counts reads; kept is one instant a link: when it will have its whole burst again."""

    def __init__(self) -> None:
        self._whole_at: dict[int, datetime] = {}

    def wait(self, link_id: int, now: datetime) -> timedelta | None:
        """Count one read; how long until the next is allowed when this one is too many."""
        whole_at, full = self._whole_at.get(link_id, _LONG_AGO), now + BURST * EVERY
        after = max(whole_at, now) + EVERY
        if after > full:
            # A clock that was set back must not shut a link out for as long.
            self._whole_at[link_id] = min(whole_at, full)
            return min(after - full, EVERY)
        if len(self._whole_at) >= MOST_LINKS and link_id not in self._whole_at:
            self._make_room(now)
        self._whole_at[link_id] = after
        return None

    def _make_room(self, now: datetime) -> None:
        """Links that have their whole burst need not be known; if none has, all begin anew."""
        self._whole_at = {link: at for link, at in self._whole_at.items() if at > now}
        if len(self._whole_at) >= MOST_LINKS:
            self._whole_at.clear()
