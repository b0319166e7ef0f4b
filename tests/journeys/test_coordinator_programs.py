"""A coordinator has a program told: its secret once, a test, a new secret, and its end."""

from contextlib import closing
from pathlib import Path

import pytest
from chungtay_client import verify_signature
from playwright.sync_api import expect

from scheduler.delivery.network import Network
from scheduler.services import accounts, webhook_sending, webhooks
from tests.delivery import peer
from tests.journeys.stage import WAYS, House, Stage, Visit, Way

pytestmark = pytest.mark.browser

HERE = "/coordinator/settings/webhooks"
HOST = "so.example"


def told(stage: Stage, folder: Path, *secrets: str) -> None:
    """What waits goes to a program that takes it, signed with each of these."""
    shown, trusted = peer.certificate(folder, HOST)
    with peer.running({"/hook": peer.answer(b"ok")}, secured=shown) as far:
        there = Network(
            ports={"https": far.port}, allow=lambda _: True, resolve=_here,
            authorities=lambda: trusted,
        )  # fmt: skip
        webhook_sending.send_due(stage.ctx, network=there)
    (heard,) = far.requests
    for each in secrets:
        verify_signature(each, heard.headers["Chungtay-Signature"], heard.body)


def _here(_name: str) -> list[str]:
    return ["127.0.0.1"]


def adds_a_program(v: Visit, name: str) -> str:
    """Refused first, as it has no good address; then its secret, which is shown this once."""
    v.hands.write(v.box("Name"), name)
    v.hands.write(v.box("Address"), f"http://{HOST}/hook")
    v.hands.send(v.button("Add the program"))
    expect(v.box("Name")).to_have_value(name)
    expect(v.main.get_by_role("alert")).to_be_visible()
    v.is_sound()
    v.hands.write(v.box("Address"), f"https://{HOST}/hook")
    v.hands.send(v.button("Add the program"))
    v.is_sound()
    return v.main.locator("#secret").inner_text()


def looks_after_a_program(stage: Stage, folder: Path) -> None:
    name = f"Sổ của Sở {stage.way.name}"
    v = stage.enter(accounts.operator(stage.ctx))
    v.open(HERE)
    secret = adds_a_program(v, name)
    v.hands.send(v.link("Done"))
    v.headed(name)
    expect(v.main).not_to_contain_text(secret)
    v.hands.send(v.button("Send a test"))
    v.is_told(v.say("A test is on its way. Load the page again in a moment to see the answer."))
    v.sees(v.say("On its way"))
    told(stage, folder, secret)
    v.page.reload()
    v.sees(v.say("Arrived"))
    v.hands.send(v.button("Make a new secret"))
    renewed = v.main.locator("#secret").inner_text()
    assert renewed != secret
    v.is_sound()
    v.hands.send(v.button("Send a test"))
    told(stage, folder, secret, renewed)  # for a day both are good
    expect(v.button("Make a new secret")).to_have_count(0)
    v.hands.press(v.summary("Take it away"))
    v.hands.send(v.button("Take it away"))
    v.is_told(name)
    v.headed(v.say("Programs that are told"))
    assert webhooks.listed(stage.ctx, v.actor) == ()


@pytest.mark.parametrize("way", [
    pytest.param(way, id=way.name, marks=() if n == 0 else pytest.mark.soak)
    for n, way in enumerate(WAYS)
])  # fmt: skip
def test_a_coordinator_looks_after_a_program(house: House, way: Way, tmp_path: Path) -> None:
    with closing(Stage(house, way)) as stage:
        looks_after_a_program(stage, tmp_path)
