"""Mail as bytes, and what becomes of it at a relay that breaks at every step in turn."""

import socket
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.delivery import mail, mailfiles
from scheduler.delivery.channels import Outcome, Parcel
from scheduler.delivery.mail import BadAddress, Envelope, Letter, SmtpTransport
from scheduler.delivery.mailfiles import FileTransport
from scheduler.locale import Language
from tests.delivery.sink import listening

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


def transport_to(url: str, **choices: float) -> SmtpTransport:
    return SmtpTransport(url, ENVELOPE.sender, **choices)


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


@given(st.text(), st.text(), st.text().filter(lambda text: text.isprintable()))
def test_no_value_adds_a_header_or_a_recipient(subject, name, text):
    found = mail.build(
        replace(ENVELOPE, name=f"{name}\r\nBcc: a@evil.example\n\n"),
        Letter(f"{subject}\r\nBcc: b@evil.example\r\n\r\n<b>", text, text),
    )
    again = read(found)
    assert again.keys() == HEADERS
    assert [each.addr_spec for each in again["To"].addresses] == [ENVELOPE.address]


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


# -- the relay


def test_a_relay_gets_each_message_whole_over_one_line(message):
    with listening() as sink:
        transport = transport_to(sink.url)
        assert [transport.send(message).outcome for _ in range(3)] == [Outcome.SENT] * 3
        transport.close()
    assert sink.arrived == [message.content] * 3
    assert sink.sessions == 1
    assert sink.heard[1:4] == [
        "mail FROM:<no-reply@chungtay.example>",
        "rcpt TO:<lan@truong.example>",
        "DATA",
    ]
    assert sink.heard[-1] == "quit"


@pytest.mark.parametrize(
    ("script", "outcome", "relay_away"),
    [
        ({"banner": "421 too busy"}, Outcome.REFUSED_FOR_NOW, True),
        ({"banner": "554 go away"}, Outcome.REFUSED_FOR_NOW, True),
        ({"banner": "reset"}, Outcome.REFUSED_FOR_NOW, True),
        ({"MAIL": "451 later"}, Outcome.REFUSED_FOR_NOW, False),
        ({"MAIL": "550 not you"}, Outcome.REFUSED_FOR_NOW, False),
        ({"MAIL": "421 closing"}, Outcome.REFUSED_FOR_NOW, True),
        ({"MAIL": "reset"}, Outcome.REFUSED_FOR_NOW, False),
        ({"RCPT": "452 mailbox full"}, Outcome.REFUSED_FOR_NOW, False),
        ({"RCPT": "550 no such user"}, Outcome.REFUSED, False),
        ({"RCPT": "gibberish"}, Outcome.REFUSED_FOR_NOW, False),
        ({"RCPT": "reset"}, Outcome.REFUSED_FOR_NOW, False),
        ({"DATA": "451 later"}, Outcome.REFUSED_FOR_NOW, False),
        ({"DATA": "554 no"}, Outcome.REFUSED, False),
        ({"DATA": "reset"}, Outcome.REFUSED_FOR_NOW, False),
        ({"dot": "451 later"}, Outcome.REFUSED_FOR_NOW, False),
        ({"dot": "554 spam"}, Outcome.REFUSED, False),
        ({"dot": "gibberish"}, Outcome.UNKNOWN, False),
        ({"dot": "reset"}, Outcome.UNKNOWN, False),
    ],
    ids=str,
)
def test_where_it_broke_says_what_became_of_the_message(message, script, outcome, relay_away):
    with listening(**script) as sink:
        transport = transport_to(sink.url)
        receipt = transport.send(message)
        transport.close()
    assert (receipt.outcome, receipt.relay_away) == (outcome, relay_away)
    assert receipt.reply


def test_a_line_cut_within_the_body_is_never_taken_for_sent():
    long = parcel_of(mail.build(ENVELOPE, replace(LETTER, text=f"{'x' * 70}\n" * 50_000)))
    with listening(body="reset") as sink:
        receipt = transport_to(sink.url).send(long)
    assert receipt.outcome in (Outcome.REFUSED_FOR_NOW, Outcome.UNKNOWN)
    assert sink.arrived == []


def test_a_relay_that_falls_silent_after_the_dot_leaves_it_unknown(message):
    with listening(dot="250-still thinking") as sink:
        assert transport_to(sink.url, timeout=0.2).send(message).outcome is Outcome.UNKNOWN
    assert len(sink.arrived) == 1


def test_nobody_listening_is_a_refusal_for_now(message):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        receipt = transport_to(f"smtp://127.0.0.1:{taken.getsockname()[1]}").send(message)
    assert (receipt.outcome, receipt.relay_away) == (Outcome.REFUSED_FOR_NOW, True)


def test_after_a_refusal_the_next_message_goes_out(message):
    with listening(RCPT="550 no such user") as sink:
        transport = transport_to(sink.url)
        assert transport.send(message).outcome is Outcome.REFUSED
        sink.script = {}
        assert transport.send(message).outcome is Outcome.SENT
        transport.close()
    assert sink.sessions == 1
    assert sink.arrived == [message.content]


def test_after_a_cut_line_the_next_message_takes_a_new_one(message):
    with listening(dot="reset") as sink:
        transport = transport_to(sink.url)
        assert transport.send(message).outcome is Outcome.UNKNOWN
        sink.script = {}
        assert transport.send(message).outcome is Outcome.SENT
        transport.close()
    assert sink.sessions == 2


@pytest.mark.parametrize("url", ["", "localhost:25", "http://x", "smtp://"])
def test_an_address_of_no_relay_is_refused_at_once(url):
    with pytest.raises(ValueError, match="smtp://"):
        transport_to(url)


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
