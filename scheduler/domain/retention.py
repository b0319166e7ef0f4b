"""What is kept of people, how long, and why: one table for code, docs and page.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from scheduler.errors import Text, text

_DAY = timedelta(days=1)
_MONTH = timedelta(days=365) / 12


class Kept(StrEnum):
    LESSON_WORDS = "lesson_words"
    MESSAGE_WORDS = "message_words"
    MAIL_FILES = "mail_files"
    JOURNALS = "journals"
    SESSIONS = "sessions"
    INVITATIONS = "invitations"
    TOKENS = "tokens"
    ORIGINS = "origins"
    UPLOADS = "uploads"
    WEBHOOKS = "webhooks"
    KEPT_ANSWERS = "kept_answers"
    TRIES = "tries"


@dataclass(frozen=True, slots=True)
class Rule:
    """`what` goes when it is older than `age`; `why` it is kept until then."""

    kept: Kept
    what: Text
    age: timedelta
    told: Text
    why: Text


RULES = (
    Rule(
        Kept.LESSON_WORDS,
        text("Free words about a lesson: why it was called off, reports, briefs, excuses"),
        24 * _MONTH,
        text("24 months after the lesson"),
        text("so that a school year can be looked back on in the next one"),
    ),
    Rule(
        Kept.MESSAGE_WORDS,
        text("The words of messages we sent"),
        30 * _DAY,
        text("30 days after the message"),
        text("so that we can say what was sent when somebody asks"),
    ),
    Rule(
        Kept.MAIL_FILES,
        text("Mails kept as files, where no mail server is set"),
        30 * _DAY,
        text("30 days after the mail"),
        text("so that they can be read at all"),
    ),
    Rule(
        Kept.JOURNALS,
        text("Journals of what was sent, without its words"),
        90 * _DAY,
        text("90 days after the end of their month"),
        text("so that nothing is sent twice after a restore"),
    ),
    Rule(
        Kept.SESSIONS,
        text("Sign-in links and sessions that have ended"),
        90 * _DAY,
        text("90 days after their end"),
        text("so that a break-in can be looked into"),
    ),
    Rule(
        Kept.INVITATIONS,
        text("Invitations and changes of address that are done or too old"),
        90 * _DAY,
        text("90 days after their end"),
        text("so that we can say who was let in by whom"),
    ),
    Rule(
        Kept.TOKENS,
        text("Access tokens that have ended"),
        90 * _DAY,
        text("90 days after their end"),
        text("so that a break-in can be looked into"),
    ),
    Rule(
        Kept.ORIGINS,
        text("The whole internet address behind a line of the record"),
        90 * _DAY,
        text("90 days after the deed; then only its first part"),
        text("so that a break-in can be looked into"),
    ),
    Rule(
        Kept.UPLOADS,
        text("Lists that a coordinator sent in, until they are taken over"),
        _DAY,
        text("1 day after they were sent"),
        text("so that what was looked at is what is taken over"),
    ),
    Rule(
        Kept.WEBHOOKS,
        text("What programs of others were told, with numbers of teachers and no names"),
        30 * _DAY,
        text("30 days after it happened"),
        text("so that it can be told again where it did not arrive"),
    ),
    Rule(
        Kept.KEPT_ANSWERS,
        text("What programs were answered that asked under a key"),
        _DAY,
        text("1 day after the answer"),
        text("so that nothing is done twice when an answer is lost"),
    ),
    Rule(
        Kept.TRIES,
        text("How often somebody tried to sign in, without the address in clear"),
        timedelta(),
        text("until the next try is free again, at most hours"),
        text("so that nobody guesses codes"),
    ),
)


@dataclass(frozen=True, slots=True)
class Processor:
    """Somebody outside the programme through whose hands data goes."""

    who: Text
    what: Text


PROCESSORS = (
    Processor(
        text("The host on which this runs, chosen by the operator"),
        text("everything that is kept here"),
    ),
    Processor(
        text("The mail relay"),
        text("mail addresses, names, and the mails while they pass"),
    ),
    Processor(
        text("The host of the meetings"),
        text("the address of the room; what is said and shown there is not kept by us"),
    ),
    Processor(
        text("The push services of browsers"),
        text("sealed messages that only your device can open"),
    ),
    Processor(
        text("The gateways for SMS and Zalo, where the operator set one"),
        text("telephone numbers and short messages"),
    ),
    Processor(
        text("Programs that a coordinator has told of changes"),
        text("times and classes of lessons, and numbers of teachers; no names, no words"),
    ),
)


def rule(kept: Kept) -> Rule:
    return next(each for each in RULES if each.kept is kept)


_WORDS = ("words", "name", "email")
_SAID = ("teacher", "by", "reason")


def without_words(payload: Mapping[str, object]) -> dict[str, object]:
    """What a message was about, without names and without anybody's words."""
    told = {
        key: "" if key in _WORDS else value for key, value in payload.items() if key not in _SAID
    }
    entries = payload.get("entries")
    if isinstance(entries, list):
        told["entries"] = [
            {key: value for key, value in entry.items() if key not in _SAID} for entry in entries
        ]
    return told
