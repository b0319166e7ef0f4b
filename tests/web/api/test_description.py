"""The API against its own description: schemathesis asks what it allows, and what it forbids.

One seed in the default run; under `soak` every role, every phase and more examples.
"""

from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from scheduler.services import access_tokens
from scheduler.services.context import Context
from scheduler.web import guard
from tests.conftest import lifted
from tests.web import rights
from tests.web.api.routes import described
from tests.web.browser import BASE, Site

PHASES = ("examples", "coverage", "fuzzing", "stateful")
# What a schema cannot say: that a lesson not held has a cause, or that a reason holds a word.
UNSAID = "positive_data_acceptance"


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    lifted(monkeypatch)


@pytest.fixture
def world(ctx, cast) -> rights.World:
    return rights.build(ctx, cast)


def _settings(token: str, seed: int, examples: int, phases: tuple[str, ...]) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": BASE,
            "headers": {"Authorization": f"Bearer {token}"},
            "continue-on-failure": True,
            "generation": {
                "max-examples": examples, "allow-x00": True, "database": "none",
                "deterministic": True,
            },
            "checks": {UNSAID: {"enabled": False}},
            "phases": {phase: {"enabled": phase in phases} for phase in PHASES},
        }
    )  # fmt: skip


def _asked(
    ctx: Context,
    world: rights.World,
    who: str,
    *,
    seed: int,
    examples: int,
    phases: tuple[str, ...],
) -> tuple[list[str], set[str]]:
    """Every promise that was broken, by operation; and the operations that were asked at all."""
    token = access_tokens.issue(ctx, rights.now(ctx, world.actors[who]).email, timedelta(hours=9))
    settings = _settings(token, seed, examples, phases)
    ours = deepcopy(described())  # schemathesis writes into what it is given
    schema = schemathesis.openapi.from_dict(ours, config=settings)
    schema.app = Site(ctx).app
    found, asked = set(), set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            found |= {*_broken(event.recorder), *_unheard(event.recorder)}
            asked |= {each.value.operation.label for each in event.recorder.cases.values()}
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.add(str(event))
    return sorted(found), asked


def _broken(recorder: Any) -> Iterator[str]:
    for case_id, checks in recorder.checks.items():
        case = recorder.cases[case_id].value
        for each in checks:
            if each.failure_info is not None:
                failure = each.failure_info.failure
                sent = f"{case.path_parameters} {case.query} {str(case.body)[:200]}"
                yield f"{case.operation.label}: {each.name}: {failure.message[:300]}: {sent}"


def test_the_api_keeps_what_its_description_promises(ctx, world):
    phases = ("examples", "fuzzing", "stateful")
    broken, asked = _asked(ctx, world, rights.COORDINATOR, seed=1, examples=1, phases=phases)
    assert broken == []
    assert len(asked) > 60


def _unheard(recorder: Any) -> Iterator[str]:
    """Operations never asked in truth: "too often" is in the description, and hides the rest."""
    for case_id, told in recorder.interactions.items():
        if told.response is not None and told.response.status_code == 429:
            yield f"{recorder.cases[case_id].value.operation.label}: asked too often to be heard"


@pytest.mark.soak
@pytest.mark.parametrize("who", [*rights.RIGHTFUL, *rights.FOREIGN])
def test_the_api_keeps_it_to_everybody_in_every_phase(ctx, world, who):
    """So many examples that everybody on both engines takes a quarter of an hour at most."""
    broken, asked = _asked(ctx, world, who, seed=1, examples=8, phases=PHASES)
    assert broken == []
    assert len(asked) == len(described_operations())


def described_operations() -> set[str]:
    return {
        f"{method.upper()} {path}"
        for path, methods in described()["paths"].items()
        for method in methods
        if path.startswith(guard.API)
    }
