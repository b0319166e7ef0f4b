"""The build hook: the engine's libraries get into a wheel, whatever the machine compiles with."""

import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

from scheduler.matching import compiler

ROOT = Path(__file__).parents[1]
LIBRARIES = {f"scheduler/matching/{compiler.library(words).name}" for words in compiler.WIDTHS}
# A module whose entry is None cannot be found: so ziglang is hidden where it is installed.
_HIDE = "import sys; sys.modules.update(dict.fromkeys(sys.argv[2:])); from hatchling import build; "


def backend(
    call: str, tree: Path, into: Path, *hidden: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """One call of the build backend, as pip makes it in the root of a source tree."""
    return subprocess.run(
        [sys.executable, "-c", f"{_HIDE}print(build.{call})", str(into), *hidden],
        cwd=tree,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def built(call: str, tree: Path, into: Path, *hidden: str, **environment: str) -> Path:
    done = backend(f"build_{call}(sys.argv[1])", tree, into, *hidden, **environment)
    assert done.returncode == 0, done.stderr
    return into / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture
def tree(sdist: Path, tmp_path: Path) -> Path:
    """What a person has who unpacked the sdist."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / sdist.name.removesuffix(".tar.gz")


@pytest.fixture
def bare(tmp_path: Path) -> str:
    (tmp_path / "bin").mkdir()
    return str(tmp_path / "bin")


def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize(
    "path",
    [
        "hatch_build.py", "scheduler/matching/source.c", "scheduler/matching/export.h",
        "alembic/env.py", "templates/base.html", "examples/truong-tiep-nhan.xlsx",
        "requirements.lock", "build-requirements.in", "Makefile",
        "mkdocs.yml", "docs/vi/teacher.md", "docsite/hooks.py",
    ],
)  # fmt: skip
def test_the_sdist_carries(tree, path):
    assert (tree / path).is_file()


def test_the_sdist_carries_no_library(tree):
    assert list(tree.glob("scheduler/matching/_kernel*")) == []


def test_a_wheel_from_the_sdist_carries_current_libraries(tree, tmp_path):
    wheel = built("wheel", tree, tmp_path)
    assert names(wheel) >= LIBRARIES | {"scheduler/matching/source.c"}
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    inside = tmp_path / "site" / "scheduler" / "matching"
    assert all(compiler.is_current(compiler.library(w, inside), inside) for w in compiler.WIDTHS)
    assert list(tree.glob("scheduler/matching/_kernel*")) == []


def test_a_wheel_serves_every_python_on_this_kind_of_machine_only(tree, tmp_path):
    _name, _version, _build, tags = parse_wheel_filename(built("wheel", tree, tmp_path).name)
    (tag,) = tags
    assert tag in set(sys_tags())
    assert (tag.interpreter, tag.abi) == ("py3", "none")
    assert tag.platform != "any"
    assert "many" not in tag.platform


def test_an_editable_install_has_the_libraries_beside_their_sources(tree, tmp_path):
    wheel = built("editable", tree, tmp_path)
    inside = tree / "scheduler" / "matching"
    assert all(compiler.is_current(compiler.library(w, inside), inside) for w in compiler.WIDTHS)
    assert names(wheel).isdisjoint(LIBRARIES)


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_a_build_asks_for_ziglang_only_where_no_compiler_is(tmp_path, bare, kind):
    asked = f"get_requires_for_build_{kind}()"
    assert "ziglang" not in backend(asked, ROOT, tmp_path).stdout
    assert "'ziglang'" in backend(asked, ROOT, tmp_path, "ziglang", PATH=bare, CC="").stdout


def test_a_build_without_a_compiler_says_what_to_install(tree, tmp_path, bare):
    call = "build_wheel(sys.argv[1])"
    done = backend(call, tree, tmp_path, "ziglang", PATH=bare, CC="")
    told = done.stderr.strip().splitlines()
    assert done.returncode != 0
    assert told == [
        "The matching engine needs a C compiler and none was found: install gcc or clang, "
        "or the Python package ziglang (pip install ziglang)."
    ]


def test_a_build_by_ziglang_is_for_any_processor_of_the_kind(tree, tmp_path, bare):
    """A stand-in notes how it was called and lets this machine's compiler do the work."""
    real, *more = compiler.find()
    command = [shutil.which(real), *more]
    package = tmp_path / "ziglang"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import os, sys\n"
        f"with open({str(tmp_path / 'calls')!r}, 'a') as calls: print(*sys.argv[1:], file=calls)\n"
        f"os.environ.update(PATH={os.environ['PATH']!r}, PYTHONPATH='')\n"
        "mine = [word for word in sys.argv[2:] if word != '-mcpu=baseline']\n"
        f"os.execv({command[0]!r}, [*{command!r}, *mine])\n"
    )
    wheel = built("wheel", tree, tmp_path, PATH=bare, CC="", PYTHONPATH=str(tmp_path))
    assert names(wheel) >= LIBRARIES
    calls = [shlex.split(line) for line in (tmp_path / "calls").read_text().splitlines()]
    assert [call[:2] for call in calls] == [["cc", "-mcpu=baseline"]] * len(compiler.WIDTHS)
