"""Compiles the matching engine into the wheel, or beside its sources for an editable install."""

import importlib.util
import os
import platform
import sys
import sysconfig
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MATCHING = Path("scheduler", "matching")


def _compiler() -> ModuleType:
    """By its path: what the package itself depends on is not installed while it is built."""
    path = Path(__file__).parent / MATCHING / "compiler.py"
    spec = importlib.util.spec_from_file_location("chungtay_compiler", path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def platform_tag() -> str:
    """This machine's own kind; never manylinux, which nobody has checked."""
    if sys.platform == "darwin":
        oldest = os.environ.get("MACOSX_DEPLOYMENT_TARGET", "11.0")
        return f"macosx_{oldest.replace('.', '_')}_{platform.machine()}"
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


class EngineHook(BuildHookInterface[BuilderConfig]):
    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """A compiler from a wheel, where the machine has none."""
        compiler = _compiler()
        try:
            compiler.find()
        except compiler.CannotCompile:
            return ["ziglang"]
        return []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        self.scratch = tempfile.TemporaryDirectory()
        compiler = _compiler()
        folder = Path(self.root) / MATCHING
        try:
            if version == "editable":
                compiler.refresh(folder)
            else:
                for made in compiler.build(folder, Path(self.scratch.name)):
                    build_data["force_include"][str(made)] = str(MATCHING / made.name)
        except compiler.CannotCompile as error:
            self.app.abort(str(error))
        # No Python is linked in: one wheel serves every CPython.
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact: str) -> None:
        if self.target_name == "wheel":
            self.scratch.cleanup()
