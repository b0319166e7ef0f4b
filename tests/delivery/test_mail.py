"""Mail as bytes, and what becomes of it at a relay that breaks at every step in turn."""

import re
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.delivery import mail, mailfiles
from scheduler.delivery.channels import Outcome, Parcel
from scheduler.delivery.mail import BadAddress, Envelope, Letter
from scheduler.delivery.mailfiles import FileTransport
from scheduler.locale import Language

ENVELOPE = Envelope(
    message_id="<0123456789abcdef@chungtay.example>",
    sender="Chung Tay <no-reply@chungtay.example>",
    name="Cô Nguyễn Thị Lan",
    address="lan@truong.example",
    date=datetime(2023, 10, 2, 0, 30, tzinfo=UTC),
    stop_url="https://chungtay.example/stop/" + "abc-DEF_0.9" * 30,
)
LETTER = Letter("Thứ Tư 04/10 · 07:30–08:15: Tiếng Anh 7A", "Chào cô\n.\n..\ncuối\n", "<p>Chào</p>")
HEADERS = [
    "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "List-Unsubscribe",
    "List-Unsubscribe-Post", "MIME-Version", "Content-Type",
]  # fmt: skip


def read(data: bytes) -> EmailMessage:
    return message_from_bytes(data, EmailMessage, policy=policy.default)


@pytest.fixture
def content() -> bytes:
    return mail.build(ENVELOPE, LETTER)


def parcel_of(content: bytes) -> Parcel:
    return Parcel(ENVELOPE.message_id, (ENVELOPE.address,), content, 3600)


@pytest.fixture
def message(content) -> Parcel:
    return parcel_of(content)


# -- the message


def test_a_message_reads_as_it_was_written(content):
    found = read(content)
    assert {name: str(found[name]) for name in HEADERS[:8]} == {
        "Subject": LETTER.subject,
        "From": "Chung Tay <no-reply@chungtay.example>",
        "To": "Cô Nguyễn Thị Lan <lan@truong.example>",
        "Date": "Mon, 02 Oct 2023 00:30:00 +0000",
        "Message-ID": ENVELOPE.message_id,
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{ENVELOPE.stop_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert found.get_body(("plain",)).get_content() == LETTER.text.replace("\n", "\r\n")
    assert found.get_body(("html",)).get_content().strip() == LETTER.html


def test_the_link_to_stop_stands_on_one_line_as_it_is(content):
    assert f"\r\nList-Unsubscribe: <{ENVELOPE.stop_url}>\r\n".encode() in content


def test_what_is_no_reminder_offers_no_stop():
    found = read(mail.build(replace(ENVELOPE, stop_url=None), LETTER))
    assert "List-Unsubscribe" not in found
    assert "List-Unsubscribe-Post" not in found


# -- whatever people type

ANY = st.characters(exclude_categories=())  # halves of letters as well
ODD_LINES = ["", " ", "=?utf-8?q?x?=", '"', "\\", "a, b <x@y.example>", "(so)", "ế" * 300]
ODD_LINES += [
    "x" * 300,
    "x y " * 75,
    "Cô \u202eegnaro\u2066",
    "a\x00b",
    "\ud83d",
    "a\r\n b",
    "é" * 38,
]
ODD_LINES += ["\U0001f469\u200d\U0001f467" * 40]
ODD_ROWS = [".", "..", ".x", "", " ", "x \t", "=", "=20", "From x", "ế" * 40, "é" * 200, "a\x00"]
ODD_ROWS += ["\x0b", "\r", "--=_words", "x" * 1200, "\ufeff"]
LINE = st.one_of(st.text(ANY, max_size=320), st.sampled_from(ODD_LINES))
BODY = st.one_of(LINE, st.lists(st.sampled_from(ODD_ROWS)).map("\n".join))


def standard(letter: Letter) -> EmailMessage:
    """Both bodies as the standard library writes them."""
    message = EmailMessage(policy=policy.SMTP)
    message.set_content(whole_letters(letter.text), cte="base64")
    message.add_alternative(whole_letters(letter.html), subtype="html", cte="base64")
    return read(message.as_bytes())


def whole_letters(words: str) -> str:
    return words.encode(errors="replace").decode()


def rows(message: EmailMessage) -> list[list[str]]:
    """Both bodies line by line; the standard library ends the last one."""
    bodies = [str(message.get_body((kind,)).get_content()) for kind in ("plain", "html")]
    return [re.split("\r\n|\r|\n", each.rstrip("\r\n")) for each in bodies]


def name_shown(data: bytes) -> str:
    """As RFC 2047 has it; the standard library's addresses keep a blank between encoded words."""
    written = re.sub(r"\r\n(?= )", "", str(message_from_bytes(data)["To"]))
    return str(make_header(decode_header(parseaddr(written)[0])))


@settings(deadline=None)
@given(LINE, LINE, BODY, BODY)
def test_a_message_reads_as_it_was_meant_whatever_is_in_it(subject, name, text, html):
    envelope, letter = replace(ENVELOPE, name=name), Letter(subject, text, html)
    built = mail.build(envelope, letter)
    assert rows(read(built)) == rows(standard(letter))
    assert str(read(built)["Subject"]) == mail.one_line(subject)[: mail.LONGEST_SUBJECT].strip()
    assert name_shown(built) == mail.one_line(name)[: mail.LONGEST_NAME].strip()
    assert not read(built).defects


@settings(deadline=None)
@given(LINE, LINE, BODY)
def test_no_value_adds_a_header_or_breaks_the_rules_of_the_wire(subject, name, text):
    built = mail.build(
        replace(ENVELOPE, name=f"{name}\r\nBcc: a@evil.example\n\n"),
        Letter(f"{subject}\r\nBcc: b@evil.example\r\n\r\n<b>", text, text),
    )
    again = read(built)
    assert again.keys() == HEADERS
    assert [each.addr_spec for each in again["To"].addresses] == [ENVELOPE.address]
    assert built.isascii()
    assert b"\x00" not in built
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", built)
    long = [line for line in built.split(b"\r\n") if len(line) > 78]
    assert long == [f"List-Unsubscribe: <{ENVELOPE.stop_url}>".encode()]


@settings(deadline=None)
@given(st.text(st.sampled_from("aếé👩"), min_size=40, max_size=200))
def test_no_letter_is_parted_between_two_lines(subject):
    built = mail.build(ENVELOPE, replace(LETTER, subject=subject))
    pieces = re.findall(rb"=\?utf-8\?b\?([^?]+)\?=", built.partition(b"From:")[0])
    assert "".join(b64decode(each).decode() for each in pieces) in (subject, "")


@pytest.mark.parametrize(
    "value", ["", "a b", "a\r\nBcc: x", "a\x00", "à", "a\u2028b", "\ud83d", "x" * 1000]
)
def test_what_must_stand_as_it_is_is_refused_where_it_cannot(value):
    with pytest.raises(ValueError, match="cannot stand"):
        mail.build(replace(ENVELOPE, message_id=value), LETTER)
    with pytest.raises(ValueError, match="cannot stand"):
        mail.build(replace(ENVELOPE, stop_url=f"https://x/{value} "), LETTER)


def test_an_error_about_an_address_does_not_repeat_it():
    with pytest.raises(BadAddress) as caught:
        mail.build(replace(ENVELOPE, address="lan at home"), LETTER)
    assert "lan" not in repr(caught.value)


# -- an invitation

INVITATION = (
    "BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nSUMMARY:Tiếng Anh 7A · một tiêu đề dài hơn bảy mươi\r\n"
    "  lăm \r\nEND:VCALENDAR\r\n"
).encode()


def test_an_invitation_comes_as_an_alternative_and_as_a_file():
    found = read(mail.build(ENVELOPE, LETTER, INVITATION))
    assert [part.get_content_type() for part in found.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar",
        "application/ics",
    ]  # fmt: skip
    words, attached = found.iter_parts()
    calendar = list(words.iter_parts())[-1]
    assert calendar["Content-Type"].params == {"charset": "utf-8", "method": "CANCEL"}
    assert calendar.get_content().encode() == INVITATION
    assert (attached.get_filename(), attached.get_content()) == ("invite.ics", INVITATION)
    assert found.get_body(("plain",)).get_content() == LETTER.text.replace("\n", "\r\n")


def test_a_calendar_without_a_method_is_no_invitation():
    with pytest.raises(ValueError, match="invitation"):
        mail.build(ENVELOPE, LETTER, b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")


# -- addresses and templates


@pytest.mark.parametrize(
    "address",
    ["", "lan", "lan@", "@x.example", "a@x.example\r\nBcc: b@x.example", "a@x.example, b@x.example",
     "<a@x.example>", "a b@x.example", "é@x.example", "a@x..example", "a@" + "x" * 260],
)  # fmt: skip
def test_what_is_no_address_is_refused(address):
    with pytest.raises(BadAddress):
        mail.build(replace(ENVELOPE, address=address), LETTER)


def test_a_domain_in_its_own_letters_is_written_for_machines():
    found = read(mail.build(replace(ENVELOPE, address="lan@trường.example"), LETTER))
    assert found["To"].addresses[0].domain == "xn--trng-rib8295b.example"


@pytest.mark.parametrize("language", list(Language))
def test_html_mail_escapes_what_people_typed(language):
    values = {
        "own": True,
        "reader": {"name": "<script>x</script>", "base_url": "https://x", "stop_url": None},
        "url": 'https://x/"><img onerror=1>',
        "code": "AB-CD",
        "until": "10:00",
    }
    html = mail.render("sign_in", language, "s", values).html
    assert "<script" not in html
    assert "<img" not in html
    assert f'lang="{language}"' in html


def test_mails_load_nothing_and_count_nobody():
    for page in (mail.data_dir("templates") / "mail").glob("*.html"):
        words = page.read_text()
        assert not [
            each for each in ("<img", "src=", "url(", "<script", "@import") if each in words
        ]


# -- files


def test_the_same_message_is_kept_once(message, tmp_path):
    transport = FileTransport(tmp_path / "mail")
    assert [transport.send(message).outcome for _ in range(2)] == [Outcome.SENT] * 2
    assert [path.name for path in (tmp_path / "mail").iterdir()] == [
        "0123456789abcdef@chungtay.example.eml"
    ]
    (kept,) = mailfiles.stored(tmp_path / "mail")
    assert (kept.subject, kept.to, kept.sent, kept.text) == (
        LETTER.subject,
        "Cô Nguyễn Thị Lan <lan@truong.example>",
        ENVELOPE.date,
        LETTER.text,
    )
    assert (tmp_path / "mail").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_written_is_a_refusal_for_now(message, tmp_path):
    (tmp_path / "mail").write_text("a file")
    receipt = FileTransport(tmp_path / "mail").send(message)
    assert (receipt.outcome, receipt.relay_away) == (Outcome.REFUSED_FOR_NOW, True)
