"""The site, built by MkDocs; every warning of it is a fault."""

import logging
from pathlib import Path

from mkdocs.commands import build as mkdocs
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

ROOT = Path(__file__).parents[1]


def build(target: Path, *, quick: bool) -> list[str]:
    """Write the site into `target`; what is wrong with it, a sentence each.

    `quick`: the pictures of pages are left out, and none need be there.
    """
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(target))
    config.extra["quick"] = quick
    with _Warnings() as warnings:
        config.plugins.on_startup(command="build", dirty=False)
        try:
            mkdocs.build(config)
        except Abort as stop:
            warnings.told = warnings.told or [str(stop)]
        finally:
            config.plugins.on_shutdown()
    return warnings.told


class _Warnings(logging.Handler):
    """What MkDocs warns of while this is open."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())

    def __enter__(self) -> "_Warnings":
        logging.getLogger("mkdocs").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("mkdocs").removeHandler(self)
