"""The reference reading of the problem (verify_plan.py, as given) and the programme's instance."""

import json
from pathlib import Path
from typing import Any

from scheduler.matching import plan as plans
from scheduler.matching import problem
from scheduler.matching.plan import Plan
from scheduler.matching.problem import Instance
from tests.matching import verify_plan

PROGRAMME = Path(__file__).parents[1] / "exchange" / "ha-noi-yen-bai.json"


def judge(instance: Instance, plan: Plan) -> dict[str, Any]:
    """What verify_plan.py says about a plan.

    It divides by a teacher's `max_total`, so that one of 0 who has a lesson, which breaks rule 4,
    brings it down before it can say so: that is said here.
    """
    nobody = {teacher.id for teacher in instance.teachers if not teacher.max_total}
    over = sorted({x.teacher for x in plan.lessons} & nobody)
    if over:
        return {"valid": False, "violations": [f"over max_total: {name}" for name in over]}
    data = json.loads(json.dumps(problem.dump(instance)))
    return verify_plan.verify(data, {"lessons": plans.dump_lessons(plan.lessons)})


def programme_json() -> dict[str, Any]:
    return json.loads(PROGRAMME.read_text(encoding="utf-8"))
