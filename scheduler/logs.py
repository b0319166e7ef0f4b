"""How every process of ours writes its log: one line an event, and no secret in any of them."""

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType

from scheduler import tracing
from scheduler.origin import current

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_SERVERS = ("uvicorn", "uvicorn.error", "uvicorn.access")
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_OPEN = frozenset({"head"})  # the newest seal of the record: written down to be compared
_SECRETS = re.compile(
    # Tokens are 43 letters and more, signed ones three parts of that kind; so are their digests.
    r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43,}(?:\.[A-Za-z0-9_-]+)*"
    r"|eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"
    r"|(?<=/[a-z]/)[A-Za-z0-9_-]{16,}"  # the shorter ones of lessons
    r"|(?<=://)[^\s/@]+(?=@)"
)


def set_up(form: str) -> None:
    """Let this process write its log as `form` says: json, plain, or empty for what fits.

    Whoever started it may have chosen handlers for the web server: they keep their places.
    """
    plain = form == "plain" or (not form and sys.stderr.isatty())
    formatter = Plain() if plain else Json()
    ours = logging.StreamHandler()
    root = logging.getLogger()
    root.handlers = [ours]
    root.setLevel(logging.INFO)
    theirs = [handler for name in _SERVERS for handler in logging.getLogger(name).handlers]
    for handler in (ours, *theirs):
        handler.setFormatter(formatter)


def redacted(said: str) -> str:
    """Without whatever may be the secret part of an address, or a password in one."""
    return _SECRETS.sub("[redacted]", said)


class Json(logging.Formatter):
    """An object a line, in signs that no terminal and no reader of lines takes for its own."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        if current().request_id:
            line["request"] = current().request_id
        if trace := tracing.trace_id():
            line["trace"] = trace
        line |= _more(record)
        if record.exc_info:
            line["traceback"] = _traceback(record.exc_info)
        return json.dumps(line)


class Plain(logging.Formatter):
    """A line for people; what would begin another one, or colour it, is written out."""

    def format(self, record: logging.LogRecord) -> str:
        request = f" [{current().request_id}]" if current().request_id else ""
        more = "".join(f" {name}={value}" for name, value in _more(record).items())
        said = f"{redacted(record.getMessage())}{more}"
        head = f"{_time(record)} {record.levelname.lower():8} {record.name}{request} {shown(said)}"
        trace = _traceback(record.exc_info).splitlines() if record.exc_info else ()
        return "\n".join((head, *(f"  {shown(line)}" for line in trace)))


def shown(said: str) -> str:
    """With every sign that does not print spelt out."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in said
    )


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _more(record: logging.LogRecord) -> dict[str, object]:
    """What was handed to the logger beside the sentence."""
    given = ((name, value) for name, value in vars(record).items() if name not in _USUAL)
    return {
        name: value if isinstance(value, int | float) or name in _OPEN else redacted(str(value))
        for name, value in given
    }


def _traceback(raised: _Raised) -> str:
    return redacted("".join(traceback.format_exception(*raised)))
