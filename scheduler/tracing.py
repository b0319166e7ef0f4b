"""Traces, for whoever asks for them by OTEL_EXPORTER_OTLP_ENDPOINT; otherwise nothing is loaded.

The standard name and not one of ours, as it comes with a family that its sender reads by itself:
OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER and others.
"""

import functools
import importlib
import inspect
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any, Protocol

SETTING = "OTEL_EXPORTER_OTLP_ENDPOINT"
_USE_CASES = "scheduler.services."
_NOTHING: AbstractContextManager[None] = nullcontext()
_log = logging.getLogger(__name__)


class Span(Protocol):
    """Something that takes time and may lead to more of the kind."""

    def answered(self, method: str, route: str, status: int, request_id: str) -> None:
        """It was a request; `route`: its template."""


class Tracer(Protocol):
    """What sends spans somewhere."""

    def span(self, name: str) -> AbstractContextManager[Span]: ...

    def trace_id(self) -> str: ...

    def close(self) -> None: ...


_tracer: Tracer | None = None


def set_up() -> None:
    """Let this process send traces, where that is asked for: of what is loaded by now."""
    global _tracer
    if _tracer is not None or not os.environ.get(SETTING):
        return
    try:
        otlp = importlib.import_module("scheduler.tracing_otlp")
    except ImportError:
        _log.warning(
            "%s is set, and nothing here can send traces: none are sent. Install it with: "
            "pip install 'chungtay[telemetry]'",
            SETTING,
        )
        return
    _tracer = otlp.start(os.environ[SETTING])
    for module in [each for name, each in sys.modules.items() if name.startswith(_USE_CASES)]:
        _trace_use_cases(module)


def close() -> None:
    """Send what is still here, and no more: before a process ends."""
    if _tracer is not None:
        _tracer.close()


def is_on() -> bool:
    return _tracer is not None


def span(name: str) -> AbstractContextManager[Span | None]:
    """A span while the block lasts; `name` is of our code, and holds nothing that anybody typed."""
    return _NOTHING if _tracer is None else _tracer.span(name)


def trace_id() -> str:
    """Of what is being done now; empty where no traces are sent."""
    return "" if _tracer is None else _tracer.trace_id()


def _trace_use_cases(module: ModuleType) -> None:
    """Each public function that is given a context gets a span of its name: `plans.publish`.

    Here and not in the functions, of which there are hundreds: none of them pays while it is off.
    """
    noun = module.__name__.removeprefix(_USE_CASES)
    for name, function in list(_use_cases(module)):
        setattr(module, name, _spanned(f"{noun}.{name}", function))


def _use_cases(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, found in vars(module).items():
        if name.startswith("_") or not inspect.isfunction(found):
            continue
        if found.__module__ != module.__name__ or inspect.isgeneratorfunction(
            inspect.unwrap(found)
        ):
            continue
        if next(iter(inspect.signature(found).parameters), "") == "ctx":
            yield name, found


def _spanned(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Any:
        with span(name):
            return function(*args, **kwargs)

    return traced
