"""The wheel carries all that the program needs, and runs outside the checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
            "--wheel-dir", str(folder), str(ROOT),
        ],
        check=True,
    )  # fmt: skip
    (wheel,) = folder.glob("chungtay-*.whl")
    target = folder / "site"
    zipfile.ZipFile(wheel).extractall(target)
    return target


@pytest.mark.parametrize(
    "path",
    [
        "scheduler/_data/templates/base.html",
        "scheduler/_data/alembic/env.py",
        "scheduler/_data/alembic/versions",
        "scheduler/_data/examples/truong-tiep-nhan.xlsx",
        "scheduler/locale/vi/LC_MESSAGES/messages.po",
        "scheduler/web/static/chungtay.css",
    ],
)
def test_the_wheel_carries(unpacked, path):
    assert (unpacked / path).exists()


def test_the_demo_runs_from_the_wheel_outside_the_checkout(unpacked, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "scheduler", "demo", "--check"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    expected = {
        "teachers": 203,
        "donor_schools": 122,
        "receiving_schools": 17,
        "classes": 168,
        "requested": 2025,
        "violations": 0,
    }
    assert told | expected == told
    assert told["taught"] > 2000
    assert told["seconds"] < 60
    assert told["reminders_planned"] > 0
    assert told["feeds"] == 203 + 168 + 17 + 122 + 1
    assert "scheduler/locale" not in done.stderr
    where = subprocess.run(
        [sys.executable, "-c", "import scheduler; print(scheduler.__file__)"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
    )
    assert str(unpacked) in where.stdout
