"""Calendar clients as FEEDS.md found them: what each takes from a read, and what it then shows."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .readers import Seen


@dataclass(frozen=True)
class Read:
    """One answer of the server: its ETag, its Last-Modified and what stands in it."""

    etag: str
    changed_at: datetime
    events: Sequence[Seen]


@dataclass
class Subscriber(ABC):
    """Keeps what it has seen by UID; each kind says which of what comes it believes."""

    kept: dict[str, Seen] = field(default_factory=dict)
    last: Read | None = None

    def poll(self, read: Read) -> None:
        if self.last is None or self.is_new(self.last, read):
            come = {event.uid: event for event in read.events}
            for uid in self.kept.keys() - come.keys():
                del self.kept[uid]
            for uid, event in come.items():
                if uid not in self.kept or self.believes(self.kept[uid], event):
                    self.kept[uid] = event
        self.last = read

    def is_new(self, last: Read, read: Read) -> bool:
        """False when the server answers 304 to what it is asked with."""
        return last.etag != read.etag

    @abstractmethod
    def believes(self, old: Seen, new: Seen) -> bool:
        """Whether an event that is there already is taken anew."""

    def shows(self) -> dict[str, Seen]:
        return self.kept


class Icsx5(Subscriber):
    """Updates an event only when its LAST-MODIFIED grew."""

    def believes(self, old: Seen, new: Seen) -> bool:
        return new.changed > old.changed


class Nextcloud(Subscriber):
    """Builds everything anew at each read."""

    def is_new(self, last: Read, read: Read) -> bool:
        return True

    def believes(self, old: Seen, new: Seen) -> bool:
        return True


class Google(Subscriber):
    """Updates an event only when its SEQUENCE rose, and shows none that is cancelled."""

    def is_new(self, last: Read, read: Read) -> bool:
        return True

    def believes(self, old: Seen, new: Seen) -> bool:
        return new.sequence > old.sequence

    def shows(self) -> dict[str, Seen]:
        return {uid: event for uid, event in self.kept.items() if event.status != "CANCELLED"}


class Outlook(Subscriber):
    """Asks by date, takes what has a later revision, and shows every event as a normal one."""

    def is_new(self, last: Read, read: Read) -> bool:
        return read.changed_at > last.changed_at

    def believes(self, old: Seen, new: Seen) -> bool:
        return (new.sequence, new.stamp) > (old.sequence, old.stamp)
