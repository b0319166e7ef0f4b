"""The engine's libraries, loaded."""

import ctypes
from functools import cache
from pathlib import Path

from scheduler.errors import Conflict, text
from scheduler.matching import compiler

_REMEDY = text(
    "Run `make setup` in the checkout, or install the wheel again; "
    "building needs a C compiler or the Python package ziglang."
)


@cache
def load(words: int, folder: Path = compiler.HERE) -> ctypes.CDLL:
    """The library for masks of so many words of 64 bits; calls into it let other threads run.

    Raises Conflict when there is none, or not one that was made from the sources beside it.
    """
    path = compiler.library(words, folder)
    if not path.is_file():
        raise Conflict(
            text("The matching engine has not been built on this machine. {remedy}", remedy=_REMEDY)
        )
    if not compiler.is_current(path, folder):
        raise Conflict(
            text(
                "The matching engine was built from other sources or for another machine. {remedy}",
                remedy=_REMEDY,
            )
        )
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise Conflict(
            text(
                "The matching engine cannot be loaded on this machine ({why}). {remedy}",
                why=str(error),
                remedy=_REMEDY,
            )
        ) from error
