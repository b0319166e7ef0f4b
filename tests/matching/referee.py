"""The reference reading of the problem, and the programme's instance, from beside the checkout."""

import importlib.util
import json
from pathlib import Path
from typing import Any

from scheduler.matching import plan as plans
from scheduler.matching import problem
from scheduler.matching.plan import Plan
from scheduler.matching.problem import Instance

SHARED = Path(__file__).parents[3] / "shared"
PROGRAMME = SHARED / "data" / "ha-noi-yen-bai" / "instance.json"

_spec = importlib.util.spec_from_file_location("verify_plan", SHARED / "matching/verify_plan.py")
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)


def judge(instance: Instance, plan: Plan) -> dict[str, Any]:
    """What verify_plan.py says about a plan."""
    data = json.loads(json.dumps(problem.dump(instance)))
    return _module.verify(data, {"lessons": plans.dump_lessons(plan.lessons)})


def programme_json() -> dict[str, Any]:
    return json.loads(PROGRAMME.read_text(encoding="utf-8"))
