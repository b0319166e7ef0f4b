"""Makes the engine's libraries from the C sources beside this file.

The wheel's hook (hatch_build.py) loads it by its path, before anything is installed: therefore
the standard library only, and errors in English for whoever builds.
"""

import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
WIDTHS = (1, 2, 16)  # words of 64 bits in a mask
# A seed gives the same plan on every machine: no -march, no fast-math, no fused multiply and add,
# and nothing that CFLAGS may say.
FLAGS = ("-std=c99", "-O2", "-ffp-contract=off", "-fvisibility=hidden", "-shared")
_USUAL = ("cc", "gcc", "clang")
# Zig would otherwise use whatever this very processor can do, and note the paths of this machine.
_ZIG = (sys.executable, "-m", "ziglang", "cc", "-mcpu=baseline", "-s")
_TRIAL = "#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>\nint32_t trial;\n"


class CannotCompile(Exception):
    """Says what is missing, or what the compiler said."""


def find() -> tuple[str, ...]:
    """The command of a C compiler: $CC, else a usual one that works, else the wheel `ziglang`."""
    if chosen := shlex.split(os.environ.get("CC", ""), posix=os.name == "posix"):
        return tuple(chosen)
    for name in _USUAL:
        if _works(name):
            return (name,)
    if importlib.util.find_spec("ziglang"):
        return _ZIG
    raise CannotCompile(
        "The matching engine needs a C compiler and none was found: install gcc or clang, "
        "or the Python package ziglang (pip install ziglang)."
    )


def _works(name: str) -> bool:
    """False also for the cc of a Mac without its tools, and for a gcc without the C library."""
    if shutil.which(name) is None:
        return False
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "trial.c").write_text(_TRIAL)
        return _run((name, *_flags(), "-o", "trial", "trial.c"), scratch).returncode == 0


def library(words: int, folder: Path = HERE) -> Path:
    """Where the library for masks of so many words is."""
    return folder / f"_kernel{words}.{'dll' if sys.platform == 'win32' else 'so'}"


def fingerprint(folder: Path = HERE) -> str:
    """Of the C sources in the folder, how they are compiled, and the kind of machine."""
    digest = hashlib.sha256(repr((FLAGS, sys.platform, platform.machine())).encode())
    for path in sorted([*folder.glob("*.c"), *folder.glob("*.h")]):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def is_current(made: Path, folder: Path = HERE) -> bool:
    """Whether the library is there and comes from the sources in the folder; it is not run."""
    return made.is_file() and fingerprint(folder).encode() in made.read_bytes()


def refresh(folder: Path = HERE) -> None:
    """Make the libraries beside their sources, unless they are current."""
    if not all(is_current(library(words, folder), folder) for words in WIDTHS):
        build(folder, folder)


def build(folder: Path, target: Path) -> tuple[Path, ...]:
    """Make one library for each width from the sources in `folder`; raises CannotCompile."""
    command = (*find(), *_flags(), f'-DSOURCE_HASH="{fingerprint(folder)}"')
    # Made aside and moved: a process that has the old one open keeps it whole.
    with (
        tempfile.TemporaryDirectory(prefix="_kernel-", dir=target.absolute()) as scratch,
        ThreadPoolExecutor(len(WIDTHS)) as pool,
    ):
        made = list(pool.map(partial(_compile, command, folder, Path(scratch)), WIDTHS))
        return tuple(path.replace(target / path.name) for path in made)


def _compile(command: Sequence[str], folder: Path, scratch: Path, words: int) -> Path:
    made = library(words, scratch)
    names = sorted(path.name for path in folder.glob("*.c"))
    # From within the folder, so that no path of this machine gets into the library.
    done = _run(
        (*command, f"-DWORDS={words}", "-o", str(made), *names),
        folder,
        MACOSX_DEPLOYMENT_TARGET="11.0",  # the wheel's tag says the same
        ZIG_GLOBAL_CACHE_DIR=str(scratch),  # 50 MB that nobody would miss
        ZIG_LOCAL_CACHE_DIR=str(scratch),
    )
    if done.returncode != 0:
        raise CannotCompile(f"{command[0]} cannot compile the matching engine:\n{done.stderr}")
    return made


def _flags() -> tuple[str, ...]:
    return FLAGS if sys.platform == "win32" else (*FLAGS, "-fPIC")


def _run(
    command: Sequence[str], folder: Path | str, **usual: str
) -> subprocess.CompletedProcess[str]:
    """Run a compiler in a folder, in this environment and what it usually lacks."""
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=usual | os.environ,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 1, "", f"{error}\n")


def main() -> None:
    """Make what is not current; with --which only say by which compiler that would be."""
    try:
        if sys.argv[1:] == ["--which"]:
            sys.stdout.write(shlex.join(find()) + "\n")
        else:
            refresh()
    except CannotCompile as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
