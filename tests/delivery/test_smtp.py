"""What becomes of a mail at a relay that breaks at every step in turn."""

import logging
import socket
import ssl
import time
from dataclasses import replace

import pytest
from pydantic import ValidationError

from scheduler.config import load
from scheduler.delivery.channels import Outcome, Parcel
from scheduler.delivery.smtp import SmtpTransport
from tests.delivery.peer import certificate
from tests.delivery.sink import Manner, Sink, listening

FOR_NOW, REFUSED = Outcome.REFUSED_FOR_NOW, Outcome.REFUSED
UNKNOWN, SENT = Outcome.UNKNOWN, Outcome.SENT
TO = "lan@truong.example"
MESSAGE = Parcel(
    "<0123@chungtay.example>",
    (TO,),
    b"Subject: x\r\n\r\nCh=C3=A0o\r\n.\r\n..\r\nnh=C3=A9\r\n",
    3600,
)
LONG_LINE = "x" * 65_536


def transport_to(url: str, **choices: object) -> SmtpTransport:
    return SmtpTransport(url, "Chung Tay <no-reply@chungtay.example>", **choices)


def impatient(sink: Sink, **choices: object) -> SmtpTransport:
    return transport_to(sink.url, **{"patience": 0.5, "deadline": 5.0, **choices})


@pytest.fixture(scope="session")
def identity(tmp_path_factory):
    """What a relay called localhost shows, and what trusts it."""
    return certificate(tmp_path_factory.mktemp("relay"), "localhost")


def secured(identity: tuple[ssl.SSLContext, ssl.SSLContext], **choices: object) -> Manner:
    return Manner(**{"features": ("STARTTLS", "AUTH PLAIN LOGIN"), **choices}, secured=identity[0])


def test_a_relay_gets_each_message_whole_over_one_line():
    with listening() as sink:
        transport = transport_to(sink.url)
        assert [transport.send(MESSAGE).outcome for _ in range(3)] == [SENT] * 3
        transport.close()
    assert sink.arrived == [MESSAGE.content] * 3
    assert sink.sessions == 1
    assert sink.heard[0] == "ehlo chungtay.example"
    assert sink.heard[1:4] == ["MAIL FROM:<no-reply@chungtay.example>", f"RCPT TO:<{TO}>", "DATA"]
    assert sink.heard[-1] == "quit"


def test_a_mail_that_begins_with_dots_or_ends_in_midline_arrives_whole():
    odd = [b".\r\n..\r\n.\r\n", b"..x\r\n\r\n.", b"x"]
    with listening() as sink:
        transport = transport_to(sink.url)
        assert [transport.send(replace(MESSAGE, content=x)).outcome for x in odd] == [SENT] * 3
        transport.close()
    assert sink.arrived == [odd[0], odd[1] + b"\r\n", odd[2] + b"\r\n"]


# -- where it broke


@pytest.mark.parametrize(
    ("script", "outcome", "relay_away"),
    [
        ({"banner": "421 too busy"}, FOR_NOW, True),
        ({"banner": "554 go away"}, FOR_NOW, True),
        ({"banner": "reset"}, FOR_NOW, True),
        ({"banner": "hang"}, FOR_NOW, True),
        ({"banner": "gibberish"}, FOR_NOW, True),
        ({"banner": f"220 {LONG_LINE}"}, SENT, False),
        ({"EHLO": "421 closing"}, FOR_NOW, True),
        ({"EHLO": "hang"}, FOR_NOW, True),
        ({"EHLO": "reset"}, FOR_NOW, True),
        ({"MAIL": "451 later"}, FOR_NOW, False),
        ({"MAIL": "550 not you"}, FOR_NOW, False),
        ({"MAIL": "552 too large"}, REFUSED, False),
        ({"MAIL": "421 closing"}, FOR_NOW, True),
        ({"MAIL": "reset"}, FOR_NOW, False),
        ({"MAIL": "hang"}, FOR_NOW, False),
        ({"MAIL": "gibberish"}, FOR_NOW, False),
        ({"RCPT": "452 mailbox full"}, FOR_NOW, False),
        ({"RCPT": "550 no such user"}, REFUSED, False),
        ({"RCPT": f"550-no\r\n550 {LONG_LINE}"}, REFUSED, False),
        ({"RCPT": "421 closing"}, FOR_NOW, True),
        ({"RCPT": "gibberish"}, FOR_NOW, False),
        ({"RCPT": LONG_LINE}, FOR_NOW, False),
        ({"RCPT": "reset"}, FOR_NOW, False),
        ({"RCPT": "hang"}, FOR_NOW, False),
        ({"DATA": "451 later"}, FOR_NOW, False),
        ({"DATA": "554 no"}, REFUSED, False),
        ({"DATA": "421 closing"}, FOR_NOW, True),
        ({"DATA": "250 what"}, FOR_NOW, False),
        ({"DATA": "354 go on\r\n421 or not"}, FOR_NOW, True),
        ({"DATA": "354 go on\r\n250 done already"}, FOR_NOW, False),
        ({"DATA": "reset"}, FOR_NOW, False),
        ({"DATA": "hang"}, FOR_NOW, False),
        ({"dot": "451 later"}, FOR_NOW, False),
        ({"dot": "421 closing"}, FOR_NOW, True),
        ({"dot": "554 spam"}, REFUSED, False),
        ({"dot": f"250 {LONG_LINE}"}, SENT, False),
        ({"dot": LONG_LINE}, UNKNOWN, False),
        ({"dot": "gibberish"}, UNKNOWN, False),
        ({"dot": "999 what"}, UNKNOWN, False),
        ({"dot": "reset"}, UNKNOWN, False),
        ({"dot": "hang"}, UNKNOWN, False),
        ({"dot": "250-still thinking"}, UNKNOWN, False),
    ],
    ids=lambda value: f"{value:.40}" if isinstance(value, str) else f"{value!s:.40}",
)
@pytest.mark.fault(11, 12, 13, 14)
def test_where_it_broke_says_what_became_of_the_message(script, outcome, relay_away):
    with listening(**script) as sink:
        silent = any(word in str(script) for word in ("hang", "still thinking"))
        transport = impatient(sink) if silent else transport_to(sink.url)
        receipt = transport.send(MESSAGE)
        transport.close()
    assert (receipt.outcome, receipt.relay_away) == (outcome, relay_away)
    assert receipt.gone == ((TO,) if "RCPT" in script and outcome is REFUSED else ())
    assert 0 < len(receipt.reply) <= 300
    assert "\n" not in receipt.reply
    assert bool(sink.arrived) == (outcome is SENT or "dot" in script)


@pytest.mark.parametrize("script", [{"body": "reset"}, {"body": "421 enough"}], ids=str)
@pytest.mark.fault(13)
def test_a_line_cut_within_the_body_is_never_taken_for_sent(script):
    long = Parcel("<1@x.example>", (TO,), (b"x" * 70 + b"\r\n") * 150_000, 3600)
    with listening(**script) as sink:
        receipt = transport_to(sink.url).send(long)
    assert receipt.outcome is FOR_NOW  # seen before the dot was written
    assert sink.arrived == []


def test_nobody_listening_is_a_refusal_for_now():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        receipt = transport_to(f"smtp://127.0.0.1:{taken.getsockname()[1]}").send(MESSAGE)
    assert (receipt.outcome, receipt.relay_away) == (FOR_NOW, True)


@pytest.mark.parametrize("url", ["smtp://relay.invalid", f"smtp://{'a' * 70}.example"])
def test_a_name_that_leads_nowhere_is_a_refusal_for_now(url):
    receipt = transport_to(url).send(MESSAGE)
    assert (receipt.outcome, receipt.relay_away) == (FOR_NOW, True)


# -- time


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ({"banner": "drip 220 sink ready and more words"}, FOR_NOW),
        ({"RCPT": "drip 250 ok and more words than time is left for"}, FOR_NOW),
        ({"dot": "drip 250 ok and more words than time is left for"}, UNKNOWN),
    ],
    ids=str,
)
@pytest.mark.fault(15)
def test_an_answer_byte_by_byte_ends_with_the_patience_for_one(script, outcome):
    with listening(Manner(pace=0.3), **script) as sink:  # more than ten seconds
        began = time.monotonic()
        receipt = impatient(sink, deadline=60.0).send(MESSAGE)
        took = time.monotonic() - began
    assert receipt.outcome is outcome
    assert took < 5


SLOW = {"banner": "drip 220 ok", "DATA": "drip 354 ok"}
SLOW |= dict.fromkeys(("EHLO", "MAIL", "RCPT", "dot"), "drip 250 ok")


@pytest.mark.fault(15)
def test_slow_answers_one_after_another_end_with_the_deadline_of_the_mail():
    with listening(Manner(pace=0.3), **SLOW) as sink:  # two seconds each
        began = time.monotonic()
        receipt = transport_to(sink.url, deadline=1.0).send(MESSAGE)
        took = time.monotonic() - began
    assert receipt.outcome is FOR_NOW
    assert took < 5
    assert sink.arrived == []


def test_slow_answers_within_the_time_are_waited_for():
    with listening(Manner(pace=0.01), **SLOW) as sink:
        assert transport_to(sink.url).send(MESSAGE).outcome is SENT
    assert sink.arrived == [MESSAGE.content]


@pytest.mark.fault(16)
def test_an_answer_without_an_end_is_cut_off():
    with listening(RCPT="\r\n".join(["250-and then"] * 100_000)) as sink:
        receipt = transport_to(sink.url).send(MESSAGE)
    assert receipt.outcome is FOR_NOW
    assert "no end" in receipt.reply


def test_a_relay_that_does_not_read_ends_with_the_deadline():
    huge = Parcel("<1@x.example>", (TO,), (b"x" * 70 + b"\r\n") * 300_000, 3600)
    with listening(body="hang") as sink:
        began = time.monotonic()
        receipt = impatient(sink).send(huge)
        took = time.monotonic() - began
    assert receipt.outcome is FOR_NOW
    assert took < 5


# -- the line that is kept


def test_after_a_refusal_the_next_message_goes_out():
    with listening(RCPT="550 no such user") as sink:
        transport = transport_to(sink.url)
        assert transport.send(MESSAGE).outcome is REFUSED
        sink.script = {}
        assert transport.send(MESSAGE).outcome is SENT
        transport.close()
    assert sink.sessions == 1
    assert sink.arrived == [MESSAGE.content]


def test_after_a_cut_line_the_next_message_takes_a_new_one():
    with listening(dot="reset") as sink:
        transport = transport_to(sink.url)
        assert transport.send(MESSAGE).outcome is UNKNOWN
        sink.script = {}
        assert transport.send(MESSAGE).outcome is SENT
        transport.close()
    assert sink.sessions == 2


@pytest.mark.parametrize("silent", [False, True])
def test_a_line_that_ended_between_two_messages_costs_neither_a_try(silent):
    with listening(Manner(most=2, silent=silent)) as sink:
        transport = transport_to(sink.url)
        assert [transport.send(MESSAGE).outcome for _ in range(5)] == [SENT] * 5
        transport.close()
    assert len(sink.arrived) == 5
    assert sink.sessions == 3


def test_a_new_line_is_tried_once_and_no_more():
    with listening(Manner(most=1)) as sink:
        transport = transport_to(sink.url)
        assert transport.send(MESSAGE).outcome is SENT
        sink.script = {"banner": "421 closed for today"}
        receipt = transport.send(MESSAGE)
    assert (receipt.outcome, receipt.relay_away) == (FOR_NOW, True)
    assert receipt.reply == "421 closed for today"
    assert sink.sessions == 2


def test_a_message_refused_on_a_kept_line_is_not_offered_twice():
    with listening() as sink:
        transport = transport_to(sink.url)
        assert transport.send(MESSAGE).outcome is SENT
        sink.script = {"MAIL": "451 later"}
        assert transport.send(MESSAGE).outcome is FOR_NOW
        transport.close()
    assert [each.split()[0] for each in sink.heard].count("MAIL") == 2
    assert sink.sessions == 1


# -- what the relay says of itself


def test_a_mail_larger_than_the_relay_takes_is_refused_before_it_is_sent():
    size = len(MESSAGE.content)
    with listening(Manner(features=(f"SIZE {size - 1}",))) as sink:
        receipt = transport_to(sink.url).send(MESSAGE)
    assert (receipt.outcome, receipt.relay_away, receipt.gone) == (REFUSED, False, ())
    assert receipt.reply == f"{size} octets; the relay takes {size - 1} at most"
    assert not [each for each in sink.heard if each.startswith("MAIL")]


@pytest.mark.parametrize("limit", ["", " 0", " many", " 100000"])
def test_a_relay_that_counts_is_told_the_size(limit):
    with listening(Manner(features=(f"SIZE{limit}",))) as sink:
        transport = transport_to(sink.url)
        assert transport.send(MESSAGE).outcome is SENT
        transport.close()
    size = len(MESSAGE.content)
    assert sink.heard[1] == f"MAIL FROM:<no-reply@chungtay.example> SIZE={size}"


# -- TLS and passwords


@pytest.mark.parametrize("tls_first", [False, True])
def test_mail_travels_encrypted_where_the_relay_can(identity, tls_first):
    with listening(secured(identity, tls_first=tls_first)) as sink:
        scheme = "smtps" if tls_first else "smtp"
        url = f"{scheme}://lan:a%20b@localhost:{sink.port}?tls=required"
        transport = transport_to(url, trust=identity[1])
        assert [transport.send(MESSAGE).outcome for _ in range(2)] == [SENT] * 2
        transport.close()
    assert sink.arrived == [MESSAGE.content] * 2
    assert ("STARTTLS" in sink.heard) != tls_first
    assert "AUTH PLAIN AGxhbgBhIGI=" in sink.heard


def test_tls_that_is_required_is_not_done_without():
    with listening() as sink:
        receipt = transport_to(f"{sink.url}?tls=required").send(MESSAGE)
    assert (receipt.outcome, receipt.relay_away) == (FOR_NOW, True)
    assert "TLS is required" in receipt.reply
    assert sink.arrived == []


@pytest.mark.parametrize("tls_first", [False, True])
@pytest.mark.fault(11)
def test_a_certificate_nobody_vouches_for_is_named_as_the_cause(identity, tls_first):
    with listening(secured(identity, tls_first=tls_first)) as sink:
        scheme = "smtps" if tls_first else "smtp"
        receipt = transport_to(f"{scheme}://localhost:{sink.port}").send(MESSAGE)
    assert (receipt.outcome, receipt.relay_away) == (FOR_NOW, True)
    assert receipt.reply == "the relay's certificate was not accepted: self-signed certificate"
    assert sink.arrived == []


def test_a_certificate_of_another_name_is_named_as_the_cause(identity):
    with listening(secured(identity)) as sink:
        receipt = transport_to(sink.url, trust=identity[1]).send(MESSAGE)
    assert "IP address mismatch" in receipt.reply


def test_words_slipped_in_before_tls_count_for_nothing(identity):
    with listening(secured(identity), STARTTLS="220 go on\r\n250 trust me") as sink:
        url = f"smtp://localhost:{sink.port}"
        receipt = transport_to(url, trust=identity[1]).send(MESSAGE)
    assert (receipt.outcome, receipt.relay_away) == (FOR_NOW, True)


def test_a_refused_password_is_the_relays_word_about_us(identity):
    with listening(secured(identity), AUTH="535 who are you") as sink:
        url = f"smtp://lan:secret@localhost:{sink.port}"
        receipt = transport_to(url, trust=identity[1]).send(MESSAGE)
    assert (receipt.outcome, receipt.relay_away) == (FOR_NOW, True)
    assert receipt.reply == "535 who are you"


def test_a_password_leaves_this_machine_by_tls_only():
    with listening(Manner(features=("AUTH PLAIN",))) as sink:
        # A spelling that is not known to be this machine stands for one that is not.
        receipt = transport_to(f"smtp://lan:secret@127.1:{sink.port}").send(MESSAGE)
        assert (receipt.outcome, receipt.relay_away) == (FOR_NOW, True)
        assert "the password was not sent" in receipt.reply
        assert not [each for each in sink.heard if each.startswith("AUTH")]
        near = transport_to(f"smtp://lan:secret@127.0.0.1:{sink.port}")
        assert near.send(MESSAGE).outcome is SENT
        near.close()


def test_neither_addresses_nor_words_reach_a_log(caplog):
    caplog.set_level(logging.DEBUG)
    with listening(RCPT=f"550 <{TO}> is not here") as sink:
        receipt = transport_to(sink.url).send(MESSAGE)
    assert receipt.reply == "550 <...> is not here"
    assert TO not in caplog.text


@pytest.mark.parametrize("url", ["", "localhost:25", "http://x", "smtp://"])
def test_an_address_of_no_relay_is_refused_at_once(url):
    with pytest.raises(ValueError, match="smtp://"):
        transport_to(url)


@pytest.mark.parametrize("query", ["tls=requierd", "tls=", "x=1", "tls=required&x=1"])
def test_a_misspelt_wish_for_tls_is_refused_at_once(query):
    with pytest.raises(ValueError, match="tls=required"):
        transport_to(f"smtp://relay.example?{query}")
    with pytest.raises(ValidationError, match="tls=required"):
        load(_env_file=None, smtp_url=f"smtp://relay.example?{query}")


def test_a_wish_for_tls_is_a_setting():
    url = "smtp://relay.example:587?tls=required"
    assert load(_env_file=None, smtp_url=url).smtp_url.get_secret_value() == url
