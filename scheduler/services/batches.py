"""A batch of claimed messages on its way: made, transmitted, and written down one by one."""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from scheduler import clock, failpoints
from scheduler.delivery.channels import Outcome, Parcel, Receipt, Transport
from scheduler.delivery.journal import Journal
from scheduler.delivery.mail import one_line
from scheduler.domain import relays as rules
from scheduler.domain.messages import PRIVATE, Channel, Claimed, MessageKind, MessageState
from scheduler.domain.relays import Limit
from scheduler.errors import Busy
from scheduler.services import parcels, room, ways
from scheduler.services.context import Context
from scheduler.services.parcels import Dropped, Poisoned, Prepared, Ready
from scheduler.store import addresses, queue, relays, switches
from scheduler.store.database import Session

PAUSE = 0.5  # seconds before a database that does not answer is asked again
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Fate(StrEnum):
    """What one round of sending did with a claimed message."""

    SENT = "sent"
    RETRIED = "retried"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    POSTPONED = "postponed"
    GIVEN_BACK = "given_back"
    LEASE_LOST = "lease_lost"


_FATES = {
    Outcome.SENT: Fate.SENT,
    Outcome.REFUSED_FOR_NOW: Fate.RETRIED,
    Outcome.REFUSED: Fate.FAILED,
    Outcome.UNKNOWN: Fate.UNKNOWN,
}
_STATES = {
    Fate.SENT: MessageState.SENT,
    Fate.RETRIED: MessageState.PLANNED,
    Fate.POSTPONED: MessageState.PLANNED,
    Fate.FAILED: MessageState.FAILED,
    Fate.UNKNOWN: MessageState.UNKNOWN,
    Fate.EXPIRED: MessageState.EXPIRED,
    Fate.CANCELLED: MessageState.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class _Ending:
    """What became of a message, to be written down."""

    message: Claimed
    fate: Fate
    why: str = ""
    again: datetime | None = None
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one transaction wrote: the fates, and the message that may go out now."""

    fates: tuple[Fate, ...]
    passed: int  # of those that were waiting, how many had their turn
    begun: tuple[Claimed, Parcel] | None


def limit_of(ctx: Context, channel: Channel) -> Limit:
    """How many messages a second this way may take."""
    return Limit(rates(ctx).get(channel, 0))


def rates(ctx: Context) -> dict[Channel, float]:
    """Messages a second of each way that has a limit."""
    wanted = {
        Channel.MAIL: ctx.settings.mail_rate,
        Channel.PUSH: ctx.settings.push_rate,
        Channel.SMS: ctx.settings.sms_rate,
        Channel.ZALO: ctx.settings.zalo_rate,
    }
    return {channel: rate for channel, rate in wanted.items() if rate}


@dataclass(slots=True)
class Batch:
    """Claimed messages on their way.

    One transaction a message: it writes down what became of the one before, and begins the next.
    """

    ctx: Context
    channel: Channel
    transport: Transport
    began: float
    lease: float
    go_on: Callable[[], bool]
    left: deque[Claimed]
    ready: deque[tuple[Claimed, Parcel]] = field(default_factory=deque)
    endings: list[_Ending] = field(default_factory=list)
    fates: Counter[Fate] = field(default_factory=Counter)
    away: str | None = None  # what the relay did instead of answering
    seconds: list[float] = field(default_factory=list)
    full: bool = False  # the journal cannot be written
    in_doubt: bool = False  # a transaction may have been committed and not told so
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal(self.ctx.settings.journal_dir)

    def send(self) -> None:
        """Take every message to its end, or give it back."""
        try:
            self._sort_out()
            failpoints.at("after_prepare")
            while (begun := self._turn()) is not None:
                failpoints.at("after_begin")
                self._transmit(*begun)
        except BaseException:
            with suppress(Busy):  # their leases run out by themselves
                self._persist(self._abandon)
            raise
        finally:
            self._close_journal()

    def _sort_out(self) -> None:
        """Make parcels of what can go out; note the end of what cannot."""
        faults = self._faults()
        dead = [message for message in self.left if message.id in faults]
        self.endings += [_Ending(each, Fate.FAILED, faults[each.id]) for each in dead]
        alive = [message for message in self.left if message.id not in faults]
        for message, prepared in zip(alive, parcels.prepare(self.ctx, alive), strict=True):
            if isinstance(prepared, Ready):
                self.ready.append((message, prepared.parcel))
            else:
                self.endings.append(_unsent(message, prepared))
        for ending in self.endings:
            self.left.remove(ending.message)

    def _faults(self) -> dict[int, str]:
        """The messages whose reader's mail address takes none; private ones are tried."""
        if self.channel is not Channel.MAIL:
            return {}
        with self.ctx.reading() as db:
            found = addresses.faults(db, {message.person_id for message in self.left})
        return {
            message.id: found[message.person_id]
            for message in self.left
            if message.person_id in found and message.kind not in PRIVATE
        }

    def _turn(self) -> tuple[Claimed, Parcel] | None:
        """Write down what ended; the next message, once it is noted that it goes out."""
        # The time first, then whether the clock can be trusted; both before the transaction: a
        # clock that jumped is noted in one of its own.
        now = self.ctx.now()
        waiting = tuple(self.ready) if self._has_time() else ()
        turn = self._usual(waiting, now) or self._persist(lambda db: self._write(db, waiting, now))
        marked = bool(self.endings)
        self.endings.clear()
        self.fates.update(turn.fates)
        for _ in range(turn.passed):
            self.left.remove(self.ready.popleft()[0])
        if marked:
            failpoints.at("after_mark")
        if turn.begun is None:
            failpoints.at("before_give_back")
            self.fates[Fate.GIVEN_BACK] += self._persist(self._finish)
        return turn.begun

    def _usual(self, waiting: Sequence[tuple[Claimed, Parcel]], now: datetime) -> _Turn | None:
        """One went out and the next may follow: nearly every turn, and so in one statement.

        None: something is otherwise, and nothing was written.
        """
        if len(self.endings) != 1 or not waiting:
            return None
        (ending,), following = self.endings, waiting[0]
        if not _went_out(ending) or following[0].useless_after <= now:
            return None
        try:
            with self.ctx.writing() as db:
                if queue.pass_on(db, ending.message, now, ending.why, following[0]):
                    return _Turn((Fate.SENT,), 1, following)
                db.rollback()
        except Busy:
            self.in_doubt = True
        return None

    def _write(
        self, db: Session, waiting: Sequence[tuple[Claimed, Parcel]], now: datetime
    ) -> _Turn:
        fates = [self._mark(db, ending) for ending in self.endings]
        for passed, following in enumerate(waiting, 1):
            message, _ = following
            if message.useless_after <= now:
                fates.append(self._mark(db, _Ending(message, Fate.EXPIRED)))
            elif queue.begin_transmission(db, message):
                return _Turn(tuple(fates), passed, following)
            else:
                fates.append(Fate.LEASE_LOST)
        return _Turn(tuple(fates), len(waiting), None)

    def _has_time(self) -> bool:
        used = clock.monotonic() - self.began
        if self.away is not None or self.full or used >= self.lease / 2:
            return False
        return not room.is_short(self.ctx) and self.go_on()

    def _transmit(self, message: Claimed, parcel: Parcel) -> None:
        began = clock.monotonic()
        receipt = _handed_over(self.transport, parcel)
        self.seconds.append(clock.monotonic() - began)
        failpoints.at("after_send")
        self.away = receipt.reply if receipt.relay_away else None
        ending = _Ending(message, _FATES[receipt.outcome], receipt.reply, gone=receipt.gone)
        if receipt.outcome is Outcome.SENT:
            self._note(message)
        if receipt.outcome is Outcome.REFUSED_FOR_NOW:
            ending = _again(ending, self.ctx.now())
        self.endings.append(ending)

    def _note(self, message: Claimed) -> None:
        try:
            self.journal.note(message.key, self.ctx.now())
        except OSError:
            self.full = True  # what cannot be noted must not be sent
            _log.critical("the journal of sent messages cannot be written", exc_info=True)
        failpoints.at("after_journal")

    def _close_journal(self) -> None:
        try:
            self.journal.close()
        except OSError:
            _log.critical("the journal of sent messages cannot be written", exc_info=True)

    def _finish(self, db: Session) -> int:
        """Give back what was not tried, and note whether the relay answers."""
        limit = limit_of(self.ctx, self.channel)
        relays.put_back(db, self.channel, limit, len(self.left))
        if self.away is not None:
            relays.away(db, self.channel, limit, self.away)
        elif self.seconds:
            mean = sum(self.seconds) / len(self.seconds)
            relays.answered(db, self.channel, limit, mean)
        return queue.give_back(db, self.left) if self.left else 0

    def _abandon(self, db: Session) -> None:
        """After an error that nobody foresaw: what is known to have ended is still written down."""
        for ending in self.endings:
            self._mark(db, ending)
        self._finish(db)

    def _mark(self, db: Session, ending: _Ending) -> Fate:
        """Write down what became of it; LEASE_LOST when somebody else has it now."""
        message, fate = ending.message, ending.fate
        if not self._written(db, ending) and not self._was_written(db, ending):
            _log.warning("lease lost", extra={"outbox_id": message.id, "fate": fate.value})
            switches.count(db, switches.LEASES_LOST, 1)
            return Fate.LEASE_LOST
        if fate is Fate.FAILED:
            _log.error("message failed", extra={"outbox_id": message.id, "why": ending.why})
            ways.follow(self.ctx, db, message)
        if self.channel is Channel.MAIL:
            self._mark_address(db, ending)
        return fate

    def _mark_address(self, db: Session, ending: _Ending) -> None:
        person = ending.message.person_id
        for address in ending.gone:
            addresses.mark(db, person, address, ending.why, self.ctx.now())
        # Any other mail to an address with a fault was not even tried.
        if ending.fate is Fate.SENT and ending.message.kind is MessageKind.SIGN_IN:
            addresses.clear(db, person)

    def _was_written(self, db: Session, ending: _Ending) -> bool:
        """The line broke while an earlier try was committed, and it came through."""
        return self.in_doubt and queue.state(db, ending.message) is _STATES[ending.fate]

    def _written(self, db: Session, ending: _Ending) -> bool:
        message, why = ending.message, ending.why
        match ending.fate:
            case Fate.SENT:
                return queue.mark_sent(db, message, self.ctx.now(), why)
            case Fate.RETRIED:
                return queue.retry(db, message, ending.again or self.ctx.now(), why)
            case Fate.POSTPONED:
                return queue.postpone(db, message, ending.again or self.ctx.now())
            case Fate.UNKNOWN:
                return queue.mark_unknown(db, message, why)
            case Fate.EXPIRED:
                return queue.mark_expired(db, message)
            case Fate.CANCELLED:
                return queue.mark_cancelled(db, message, why)
            case _:
                return queue.mark_failed(db, message, why)

    def _persist(self, work: Callable[[Session], _T]) -> _T:
        """Do it in a transaction; again while the database does not answer and the lease lasts.

        A mark that is given up leaves a message of unknown fate, and perhaps a second copy.
        """
        while True:
            try:
                with self.ctx.transaction() as db:
                    return work(db)
            except Busy:
                if clock.monotonic() - self.began > self.lease:
                    raise
                self.in_doubt = True
                time.sleep(PAUSE)


def _unsent(message: Claimed, prepared: Prepared) -> _Ending:
    if isinstance(prepared, Dropped):
        return _Ending(message, Fate.CANCELLED, prepared.why)
    if isinstance(prepared, Poisoned):
        return _Ending(message, Fate.FAILED, prepared.why)
    if isinstance(prepared, Ready):
        raise TypeError(prepared)
    return _Ending(message, Fate.POSTPONED, again=prepared.until)


def _went_out(ending: _Ending) -> bool:
    """There is nothing more to note than that; a private message also loses its secret."""
    whole = ending.fate is Fate.SENT and not ending.gone
    return whole and ending.message.kind not in PRIVATE


def _again(ending: _Ending, now: datetime) -> _Ending:
    """Another try, or the end where there is no time for one."""
    again = rules.next_try(ending.message, now)
    fate = Fate.FAILED if again is None else Fate.RETRIED
    return _Ending(ending.message, fate, ending.why, again)


def _handed_over(transport: Transport, parcel: Parcel) -> Receipt:
    """The receipt, its words in one line that a database can keep: a far end may say anything."""
    try:
        receipt = transport.send(parcel)
        return replace(receipt, reply=one_line(receipt.reply))
    except Exception as error:  # noqa: BLE001 - whatever it was, bytes may have left
        _log.exception("transport failed")
        return Receipt(Outcome.UNKNOWN, repr(error))
