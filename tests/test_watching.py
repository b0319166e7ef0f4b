"""Alerts and board, held to Prometheus itself: what it reads, and when somebody is called."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[1] / "deploy"
ALERTS = DEPLOY / "alerts.yaml"
PROMTOOL = shutil.which("promtool")

pytestmark = pytest.mark.skipif(
    PROMTOOL is None and "CI" not in os.environ, reason="needs promtool (Debian: prometheus)"
)


def promtool(*arguments: object) -> str:
    done = subprocess.run(
        [str(PROMTOOL), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_reads_every_alert():
    rules = len(re.findall(r"^ *- alert:", ALERTS.read_text(), re.MULTILINE))
    assert f"{rules} rules found" in promtool("check", "rules", ALERTS)


def test_prometheus_reads_every_figure_of_the_board(tmp_path):
    panels = json.loads((DEPLOY / "grafana.json").read_text())["panels"]
    asked = [each["expr"] for panel in panels for each in panel.get("targets", ())]
    rules = [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(asked)]
    path = tmp_path / "board.yaml"
    path.write_text(json.dumps({"groups": [{"name": "board", "rules": rules}]}))
    assert f"{len(asked)} rules found" in promtool("check", "rules", path)


TOOK = "chungtay_http_request_duration_seconds"
OURS = '{job="chungtay", instance="a"}'
BUCKET = TOOK + '_bucket{job="chungtay", route="/teacher", '
RUNNING = 'chungtay_runs{job="chungtay", instance="a", state="running"}'
# Name of the alert; what is told, a value a minute; the minute at which it must ring.
RINGS = {
    "ChungTayLate": (10, {"chungtay_outbox_late_seconds" + OURS: "130x30",
                          "chungtay_outbox_paused" + OURS: "0x30"}),
    "ChungTayLawBroken": (1, {"chungtay_outbox_law" + OURS: "0x30"}),
    "ChungTayNoLoop": (5, {"chungtay_outbox_workers" + OURS: "0x30"}),
    "ChungTayBroken": (20, {TOOK + '_count{job="chungtay", status="5xx"}': "0+2x30",
                            TOOK + '_count{job="chungtay", status="2xx"}': "0+98x30"}),
    "ChungTayPagesSlow": (29, {BUCKET + 'le="1.0"}': "0+9x30",
                               BUCKET + 'le="3.0"}': "0+10x30",
                               BUCKET + 'le="+Inf"}': "0+10x30"}),
    "ChungTayCalendarsOld": (10, {"chungtay_feeds_dirty_seconds" + OURS: "700x30"}),
    "ChungTayRunStuck": (15, {RUNNING: "0x30",
                              "chungtay_runs_waiting_seconds" + OURS: "0+60x30"}),
    "ChungTayDisk": (10, {"chungtay_disk_free_bytes" + OURS: "9x30",
                          "chungtay_disk_size_bytes" + OURS: "100x30"}),
    "ChungTayWal": (20, {"chungtay_database_wal_bytes" + OURS: "70000000x30"}),
    "ChungTayNoBackup": (2200, {"chungtay_database_up" + OURS: "1x2200"}),
    "ChungTayBackupOld": (70, {"chungtay_backup_age_seconds" + OURS: "130000x70"}),
}  # fmt: skip


@pytest.mark.parametrize("alert", RINGS)
def test_an_alert_rings_when_it_should(tmp_path, alert):
    minute, told = RINGS[alert]
    promtool("test", "rules", trial(tmp_path, minute, told, alert, rings=True))


def test_a_house_in_order_is_left_in_peace(tmp_path):
    told = {
        "chungtay_outbox_late_seconds" + OURS: "5x30", "chungtay_outbox_paused" + OURS: "0x30",
        "chungtay_database_up" + OURS: "1x30", "chungtay_backup_age_seconds" + OURS: "60x30",
        RUNNING: "1x30",
        "chungtay_runs_waiting_seconds" + OURS: "0+60x30", "chungtay_runs_abandoned" + OURS: "0x30",
        "chungtay_outbox_law" + OURS: "1x30", "chungtay_outbox_workers" + OURS: "1x30",
        TOOK + '_count{job="chungtay", status="2xx"}': "0+98x30",
    }  # fmt: skip
    promtool("test", "rules", trial(tmp_path, 29, told, ".*", rings=False))


def trial(folder: Path, minute: int, told: dict[str, str], alert: str, *, rings: bool) -> Path:
    series = [{"series": name, "values": values} for name, values in told.items()]
    expr = f'count(ALERTS{{alertname=~"{alert}", alertstate="firing"}})'
    asked = {"expr": expr, "eval_time": f"{minute}m"}
    asked["exp_samples"] = [{"labels": "{}", "value": 1}] if rings else []
    test = {"interval": "1m", "input_series": series, "promql_expr_test": [asked]}
    path = folder / "trial.yaml"
    path.write_text(json.dumps({"rule_files": [str(ALERTS)], "tests": [test]}))
    return path
