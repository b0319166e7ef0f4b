"""The engine's libraries come from the C sources beside them, by whichever compiler is there."""

import ctypes
import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from scheduler.matching import compiler
from tests.matching import csources


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    (tmp_path / "sources").mkdir()
    return csources.write(tmp_path / "sources")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with one empty folder, and no ziglang."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setitem(sys.modules, "ziglang", None)
    return tmp_path / "bin"


def program(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def passes_on(path: Path) -> Path:
    """A program that does what the compiler of this machine does."""
    real, *more = compiler.find()
    found = shutil.which(real)
    return program(
        path, f"PATH={shlex.quote(os.environ['PATH'])}", f'exec {shlex.join([found, *more])} "$@"'
    )


def inodes(folder: Path) -> list[int]:
    return [compiler.library(words, folder).stat().st_ino for words in compiler.WIDTHS]


def test_each_width_has_a_library_of_its_own(sources):
    compiler.build(sources, sources)
    made = [ctypes.CDLL(str(compiler.library(words, sources))) for words in compiler.WIDTHS]
    assert [library.words() for library in made] == [1, 2, 16]
    assert [library.answer() for library in made] == [41, 41, 41]


def test_only_what_is_marked_leaves_a_library(sources):
    compiler.build(sources, sources)
    made = ctypes.CDLL(str(compiler.library(1, sources)))
    assert (hasattr(made, "answer"), hasattr(made, "inner")) == (True, False)


def test_a_library_says_what_it_was_made_from(sources):
    compiler.build(sources, sources)
    made = ctypes.CDLL(str(compiler.library(2, sources)))
    made.chungtay_source.restype = ctypes.c_char_p
    assert made.chungtay_source().decode() == compiler.fingerprint(sources)


def test_a_library_holds_no_path_of_the_machine(sources):
    compiler.build(sources, sources)
    assert str(sources.parent).encode() not in compiler.library(1, sources).read_bytes()


def test_libraries_are_made_again_only_when_a_source_changed(sources):
    compiler.refresh(sources)
    first = inodes(sources)
    compiler.refresh(sources)
    assert inodes(sources) == first
    (sources / "stand_in.h").write_text("#define ANSWER 42\n")
    assert not compiler.is_current(compiler.library(1, sources), sources)
    compiler.refresh(sources)
    assert compiler.is_current(compiler.library(1, sources), sources)
    assert ctypes.CDLL(str(compiler.library(1, sources))).answer() == 42


def test_a_missing_width_is_made(sources):
    compiler.refresh(sources)
    compiler.library(16, sources).unlink()
    compiler.refresh(sources)
    assert compiler.is_current(compiler.library(16, sources), sources)


def test_a_fault_in_a_source_is_told_and_leaves_the_old_libraries(sources):
    compiler.refresh(sources)
    first = inodes(sources)
    (sources / "stand_in.c").write_text("int broken(void) { return nobody_knows; }\n")
    with pytest.raises(compiler.CannotCompile, match="nobody_knows"):
        compiler.refresh(sources)
    assert inodes(sources) == first
    assert sorted(path.name for path in sources.glob("_kernel*")) == [
        compiler.library(words).name for words in (1, 16, 2)
    ]


def test_the_chosen_compiler_is_used_with_its_arguments(sources, tmp_path, monkeypatch):
    mine = passes_on(tmp_path / "mine")
    monkeypatch.setenv("CC", f"{mine} -DANSWERED")
    assert compiler.find() == (str(mine), "-DANSWERED")
    compiler.build(sources, sources)
    assert compiler.is_current(compiler.library(1, sources), sources)


def test_a_chosen_compiler_that_is_not_there_is_not_replaced_by_another(sources, monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(compiler.CannotCompile, match=r"^no-such-compiler cannot compile"):
        compiler.build(sources, sources)


def test_a_compiler_that_only_looks_like_one_is_passed_over(tmp_path, monkeypatch):
    working = passes_on(tmp_path / "gcc")
    program(tmp_path / "cc", "echo install the tools first >&2", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert compiler.find() == (working.name,)


def test_a_machine_without_a_compiler_is_told_what_to_install(bare):
    with pytest.raises(compiler.CannotCompile) as caught:
        compiler.find()
    assert str(caught.value) == (
        "The matching engine needs a C compiler and none was found: install gcc or clang, "
        "or the Python package ziglang (pip install ziglang)."
    )


def test_ziglang_serves_where_no_compiler_is(bare, tmp_path, monkeypatch):
    (tmp_path / "ziglang").mkdir()
    (tmp_path / "ziglang" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "ziglang")
    monkeypatch.syspath_prepend(tmp_path)
    assert compiler.find() == (sys.executable, "-m", "ziglang", "cc", "-mcpu=baseline", "-s")
