"""Papers to hand over, as PDF: templates and values become HTML, a process of its own prints it.

What lays the pages out is large, slow to load and needs the system's Pango: no server ever loads
it, and a machine without it hears a sentence.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import scheduler
from scheduler.config import data_dir
from scheduler.errors import Conflict, text

SECONDS = 30.0  # to load everything
SECONDS_EACH = 5.0
AT_ONCE = 40

_HOUSE = str(Path(scheduler.__file__).parent.parent)
_CHILD = (sys.executable, "-P", "-m", "scheduler.delivery.papers_child")
_LACKING = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
# The child needs no setting of ours; HOME is where the system's list of fonts is kept.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT", "HOME")


class NoPaper(Conflict):
    """This machine could not print; the sentence says what it lacks."""


def page(template: str, values: Mapping[str, object]) -> str:
    """The HTML that `templates/print/<template>.html` makes of these values."""
    return _templates().get_template(f"print/{template}.html").render(values)


def printed(pages: Sequence[str]) -> list[bytes]:
    """Each page of HTML as a PDF, the same bytes for the same page.  Raises NoPaper.

    Nothing that a page names is fetched but our own fonts.
    """
    papers: list[bytes] = []
    for start in range(0, len(pages), AT_ONCE):
        papers.extend(_asked(pages[start : start + AT_ONCE]))
    return papers


def _asked(pages: Sequence[str]) -> list[bytes]:
    try:
        done = subprocess.run(
            _CHILD,
            input=json.dumps(list(pages)).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=surroundings(),
            timeout=SECONDS + SECONDS_EACH * len(pages),
            check=True,
        )
        answer = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise NoPaper(text("The paper could not be printed. Try again later.")) from error
    if answer["trouble"]:
        raise NoPaper(
            text("PDF needs Pango on this machine. On Debian: {command}", command=_LACKING)
        )
    return [base64.b64decode(paper) for paper in answer["papers"]]


def surroundings() -> dict[str, str]:
    """What a printing process knows of ours."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"PYTHONPATH": _HOUSE}


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(data_dir("templates")),
        auto_reload=False,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
