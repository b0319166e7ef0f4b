"""What messages say of joint sessions, to a volunteer and to the contact of a school alike."""

from dataclasses import dataclass

from scheduler.delivery.mail import Letter
from scheduler.domain.joint_sessions import JointSession, News
from scheduler.domain.messages import MessageKind
from scheduler.errors import Text, text
from scheduler.locale import translate
from scheduler.services import calendars
from scheduler.services.facts import About, OneSession
from scheduler.services.readers import Reader, render

NEWS = {
    News.INVITED: text("You are invited to a joint session"),
    News.MOVED: text("A joint session was moved"),
    News.RENAMED: text("A joint session has another topic"),
    News.RESTORED: text("A joint session takes place after all"),
    News.CALLED_OFF: text("A joint session is called off"),
    News.LET_GO: text("You are not expected at a joint session any more"),
}
OFF = (News.CALLED_OFF, News.LET_GO)


@dataclass(frozen=True, slots=True)
class SessionWords:
    """A session in words ready to read; `before`: when the reader believed it to be, or ""."""

    title: str
    when: str
    units: str
    before: str
    reason: str
    by: str
    join_url: str

    @property
    def district(self) -> str:
        """The third line, where a lesson names its district."""
        return self.units


def letter(kind: MessageKind, what: About, reader: Reader) -> Letter:
    one = _one(what)
    words = in_words(one, reader)
    heading = translate(_heading(kind, one), reader.language)
    subject = text("{when}: {title}", when=words.when, title=words.title)
    if one.news is not None:
        subject = text("{news}: {when}, {title}", news=heading, when=words.when, title=words.title)
    off = one.news in OFF
    return render("joint", subject, reader, session=words, heading=heading, off=off,
                  asked=one.news is not None and not off)  # fmt: skip


def in_short(what: About, reader: Reader) -> tuple[Text | str, Text | str, str]:
    """Title, body and address for a lock screen."""
    one = _one(what)
    words = in_words(one, reader)
    if one.news is None:
        return words.title, words.when, words.join_url
    heading = translate(NEWS[one.news], reader.language)
    return words.title, text("{news}: {when}", news=heading, when=words.when), reader.page_url


def _one(what: About) -> OneSession:
    assert what.meeting is not None  # noqa: S101 - messages of these kinds are about one
    return what.meeting


def _heading(kind: MessageKind, one: OneSession) -> Text:
    if one.news is not None:
        return NEWS[one.news]
    if kind is MessageKind.JOINT_DAY:
        return text("You will meet your partners at this joint session.")
    return text("Your joint session starts soon.")


def in_words(one: OneSession, reader: Reader) -> SessionWords:
    """As this reader reads of it."""
    session, wall = one.session, reader.wall
    moved = one.news is News.MOVED and one.told is not None
    return SessionWords(
        title=calendars.session_title(session, reader.language),
        when=wall.when(session.starts_at, session.ends_at, session.zone),
        units=_units(session),
        before=wall.moment(one.told.starts_at, session.zone) if moved and one.told else "",
        reason=session.cancel_reason,
        by=session.cancelled_by,
        join_url=f"{reader.base_url}/j/{session.join_token}",
    )


def _units(session: JointSession) -> str:
    return f"{session.donor_unit} – {session.receiving_unit}"
