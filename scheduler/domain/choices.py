"""What a reader chose about reminders: which, when it must be quiet, and by which ways.  Pure."""

from dataclasses import dataclass

from scheduler.domain.messages import Channel


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
