"""What a far end says is kept as it can be kept: no word of it stops the queue."""

import pytest

from scheduler.delivery.channels import Outcome, Receipt
from scheduler.services import sending
from tests.faults.kit import Post, announce, rows

WORDS = "451 later\x00 \ud83d now"


@pytest.mark.parametrize(
    ("outcome", "state", "column"),
    [
        (Outcome.SENT, "sent", "provider_reply"),
        (Outcome.REFUSED, "failed", "last_error"),
        (Outcome.REFUSED_FOR_NOW, "planned", "last_error"),
        (Outcome.UNKNOWN, "unknown", "last_error"),
    ],
)
@pytest.mark.fault(16)
def test_words_that_no_database_keeps_hold_up_no_message(ctx, cast, outcome, state, column):
    announce(ctx, cast, 2)
    post = Post(Receipt(outcome, WORDS))
    assert sending.send_due(ctx, post).claimed == 2
    assert rows(ctx, "state", column)[0] == (state, "451 later now")
    assert rows(ctx, "state")[1] == ("sent",)
