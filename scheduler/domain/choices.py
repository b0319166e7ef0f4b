"""What a reader chose about reminders: which, when it must be quiet, and by which ways.  Pure."""

from dataclasses import dataclass

from scheduler.domain.messages import Channel, MessageKind
from scheduler.domain.quiet import Quiet


@dataclass(frozen=True, slots=True)
class Choices:
    """The usual choices are the values given here.

    `after_confirming`: the join link ten minutes before comes also to who has confirmed.
    `invitations`: news of changes carries the events for the reader's calendar.
    `quiet_from`, `quiet_until`: minutes since midnight on the reader's wall, both or neither; the
    quiet may go past midnight.  `channels`: the ways in order; the next is taken when one fails.
    """

    digest: bool = True
    day_before: bool = True
    hour_before: bool = True
    soon: bool = True
    after_confirming: bool = False
    invitations: bool = False
    quiet_from: int | None = None
    quiet_until: int | None = None
    channels: tuple[Channel, ...] = (Channel.MAIL,)

    def wants(self, kind: MessageKind) -> bool:
        """Whether reminders of this kind are to come; what is no reminder always comes."""
        steps = {
            MessageKind.DIGEST: self.digest,
            MessageKind.DAY_BEFORE: self.day_before,
            MessageKind.HOUR_BEFORE: self.hour_before,
            MessageKind.SOON: self.soon,
            MessageKind.JOINT_DAY: self.day_before,
            MessageKind.JOINT_HOUR: self.hour_before,
        }
        return steps.get(kind, True)

    def wants_confirmed(self, kind: MessageKind) -> bool:
        """Whether a reminder is to come of a lesson that the reader has confirmed."""
        return kind is MessageKind.SOON and self.after_confirming

    def quiet(self, zone: str) -> Quiet | None:
        """The quiet on a wall of that zone."""
        if self.quiet_from is None or self.quiet_until is None:
            return None
        return Quiet(self.quiet_from, self.quiet_until, zone)
