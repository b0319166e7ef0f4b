"""What replies mean in plain words, names without marks, keys of copies."""

import pytest

from scheduler.domain import mailroom as rules
from scheduler.domain.mailroom import Why


@pytest.mark.parametrize(
    ("reply", "meaning"),
    [
        ("", None),
        ("550 no such user", Why.NO_SUCH_ADDRESS),
        ("550 5.1.1 <a@b>: Recipient address rejected", Why.NO_SUCH_ADDRESS),
        ("550-5.7.26 this mail has been blocked", Why.TAKEN_FOR_SPAM),
        ("554 5.7.1 rejected", Why.TAKEN_FOR_SPAM),
        ("552 5.2.2 mailbox full", Why.MAILBOX_FULL),
        ("452 4.2.2 over quota", Why.MAILBOX_FULL),
        ("451 try later", Why.NOT_NOW),
        ("421 busy", Why.NOT_NOW),
        ("410 gone", Why.NO_SUCH_ADDRESS),
        ("501 syntax", Why.REFUSED),
        ("ConnectionRefusedError(111, 'Connection refused')", Why.NO_ANSWER),
        ("SMTPServerDisconnected('Connection unexpectedly closed')", Why.NO_ANSWER),
        ("TimeoutError('timed out')", Why.NO_ANSWER),
        ("BadAddress('x')", Why.BAD_ADDRESS),
        ("ValueError('x')", Why.BROKEN),
        ("the worker vanished while sending", Why.WORKER_GONE),
        ("the lesson changed", Why.OVERTAKEN),
        ("stopped by hand: called her", Why.STOPPED),
        ("stopped by hand: 550 people know", Why.STOPPED),
    ],
)
def test_a_reply_means_what_somebody_can_do_about_it(reply, meaning):
    assert rules.why(reply) is meaning


@pytest.mark.parametrize(
    ("typed", "found"),
    [("do lan", True), ("LAN ĐỖ", True), ("Đõ", True), ("lan@x", True), ("lan mai", False)],
)
def test_a_name_is_found_without_its_marks(typed, found):
    assert rules.matches("Đỗ Thị Lan", "lan@x.example", typed) is found


def test_the_copy_of_a_message_has_one_name_and_leads_back():
    key = "7:0:3:soon:mail"
    first, second = rules.again_key(key), rules.again_key(rules.again_key(key))
    assert (first, second) == ("7:0:3:soon:again1:mail", "7:0:3:soon:again2:mail")
    assert [rules.copied_key(each) for each in (second, first, key)] == [first, key, key]
