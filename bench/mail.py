"""What a mail costs, beside the standard library's builder: `python -m bench.mail`, half a minute.

CPU time of this process, which hands over to a relay in another one over one kept line.  What is
compared is done in turn, round by round; a figure is the median of the rounds.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from statistics import median

from bench.rows import NONE, Row, peer, say, take_json
from scheduler import config
from scheduler.clock import SystemClock
from scheduler.delivery import mail
from scheduler.delivery.channels import Outcome, Parcel
from scheduler.delivery.mail import Envelope, Letter
from scheduler.delivery.smtp import SmtpTransport
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.messages import Channel, Claimed, MessageKind
from scheduler.domain.people import HalfDay, Person
from scheduler.domain.reminders import Side
from scheduler.services import letters
from scheduler.services.context import Context
from scheduler.services.facts import About, OneLesson
from scheduler.store.database import Database

ROUNDS = 9
MAILS = 200
MORNING = 200_000  # 100,000 lessons at half past seven: a mail to each side
BASE = "https://chungtay.example"
SENDER = "Chung Tay <no-reply@chungtay.example>"
AT = datetime(2023, 10, 3, 0, 30, tzinfo=UTC)


def lesson() -> Lesson:
    return Lesson(
        id=1, uid="1", join_token="t" * 22, programme_id=1, request_id=1, class_id=1,
        class_name="7A", school_id=1, school_name="THCS Tô Hiệu", school_district="Mù Cang Chải",
        teacher_id=1, teacher_name="Nguyễn Thị Lan", teacher_person_id=1,
        donor_school="THCS Cầu Giấy", state=LessonState.SCHEDULED, starts_at=AT,
        ends_at=AT + timedelta(minutes=45), zone="Asia/Ho_Chi_Minh", half_day=HalfDay.MORNING,
        period=2, sequence=0, created_at=AT, changed_at=AT, moved_from=None, cancel_reason="",
        cancelled_by="", meeting_url=None,
    )  # fmt: skip


def known() -> tuple[Context, Claimed, About]:
    """A reminder on the day before, and what it is about; no database is asked."""
    settings = config.load(_env_file=None, base_url=BASE)
    ctx = Context(settings, Database("sqlite:///:memory:"), SystemClock(), b"k" * 32)
    message = Claimed(
        id=1, key="day:1:2023-10-03:day_before:mail", kind=MessageKind.DAY_BEFORE,
        channel=Channel.MAIL, person_id=1, lesson_id=None, sequence=None,
        payload={"day": "2023-10-03", "zone": "Asia/Ho_Chi_Minh"}, due_at=AT, useless_after=AT,
        attempts=0, message_id="<0123@x.example>", lease_token="t",
    )  # fmt: skip
    lan = Person(1, "lan@x.example", "Cô Nguyễn Thị Lan", "", "vi", active=True, reminders=True)
    return ctx, message, About(lan, Side.TEACHER, (OneLesson(lesson(), Side.TEACHER),))


KNOWN = known()


def render() -> Letter:
    """The words of a reminder on the day before, its signed links made anew."""
    return letters.letter(*KNOWN)[1]


def envelope() -> Envelope:
    stop = f"{BASE}/stop/{'s' * 200}"
    return Envelope("<0123@x.example>", SENDER, "Cô Nguyễn Thị Lan", "lan@x.example", AT, stop)


def standard(about: Envelope, letter: Letter) -> bytes:
    """The same message by the standard library."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = letter.subject
    name, sender = parseaddr(about.sender)
    message["From"] = Address(name, addr_spec=sender)
    message["To"] = Address(about.name, addr_spec=about.address)
    message["Date"] = format_datetime(about.date)
    message["Message-ID"] = about.message_id
    message["List-Unsubscribe"] = f"<{about.stop_url}>"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


@contextmanager
def relay() -> Iterator[str]:
    """The address of a relay that is another process."""
    program = (
        "import sys\nfrom tests.delivery.sink import listening\n"
        "with listening() as sink:\n    print(sink.url, flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        yield started.stdout.readline().strip()


Work = Callable[[], object]


def works(transport: SmtpTransport) -> dict[str, tuple[Work, Work | None]]:
    """Each step, and beside it the same with the standard library's builder."""
    about, letter = envelope(), render()
    built = mail.build(about, letter)

    def hand_over(content: bytes) -> None:
        parcel = Parcel(about.message_id, (about.address,), content, 3600)
        assert transport.send(parcel).outcome is Outcome.SENT

    return {
        "render": (render, None),
        "build": (lambda: mail.build(about, letter), lambda: standard(about, letter)),
        "render, build": (
            lambda: mail.build(about, render()),
            lambda: standard(about, render()),
        ),
        "hand over what is built": (lambda: hand_over(built), None),
        "build, hand over": (
            lambda: hand_over(mail.build(about, letter)),
            lambda: hand_over(standard(about, letter)),
        ),
        "render, build, hand over": (
            lambda: hand_over(mail.build(about, render())),
            lambda: hand_over(standard(about, render())),
        ),
    }


def measure(rounds: int, mails: int) -> dict[str, tuple[float, float | None]]:
    """Milliseconds of CPU a mail."""
    with relay() as url:
        transport = SmtpTransport(url, SENDER)
        todo = works(transport)
        found: dict[str, list[tuple[float, float | None]]] = {name: [] for name in todo}
        for _ in range(rounds + 1):
            for name, (ours, theirs) in todo.items():
                beside = spent(theirs, mails) if theirs else None
                found[name].append((spent(ours, mails), beside))
        transport.close()
    # The first round warms up.
    return {name: (middle(0, each[1:]), middle(1, each[1:])) for name, each in found.items()}


def spent(work: Work, mails: int) -> float:
    began = time.process_time()
    for _ in range(mails):
        work()
    return (time.process_time() - began) / mails * 1000


def middle(which: int, rounds: list[tuple[float, float | None]]) -> float | None:
    told = [each[which] for each in rounds]
    return None if None in told else median(told)


def rows(rounds: int, mails: int) -> Iterator[Row]:
    found = measure(rounds, mails)
    most = max(0.6, 0.6 / 0.3 * found["hand over what is built"][0])
    for name, (ours, theirs) in found.items():
        judged = name == "build, hand over"
        yield Row(
            f"{name}, CPU a mail",
            f"{ours:.3f} ms",
            f"≤ {most:.2f} ms" if judged else NONE,
            ours <= most if judged else None,
            peer("EmailMessage", f"{theirs:.3f} ms" if theirs is not None else NONE),
            name.replace(",", "").replace(" ", "-"),
        )
    yield Row("size of the mail", f"{len(mail.build(envelope(), render())):,} B")
    whole = found["render, build, hand over"]
    minutes, theirs = (each and each / 1000 * MORNING / 60 for each in whole)
    yield Row(
        f"{MORNING:,} mails, one core",
        f"{minutes:.1f} min",
        beside=peer("EmailMessage", f"{theirs:.1f} min" if theirs else NONE),
        key="morning",
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--mails", type=int, default=MAILS)
    take_json(parser)
    chosen = parser.parse_args()
    return say(rows(chosen.rounds, chosen.mails), chosen.json)


if __name__ == "__main__":
    sys.exit(main())
