"""The engine's libraries are loaded when they fit, and otherwise a person is told what to do."""

import ctypes

import pytest

from scheduler.errors import Conflict
from scheduler.locale import Language, translate
from scheduler.matching import compiler, library
from tests.matching import csources

REMEDY = (
    "Run `make setup` in the checkout, or install the wheel again; "
    "building needs a C compiler or the Python package ziglang."
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with sources and their libraries, only to be read."""
    folder = csources.write(tmp_path_factory.mktemp("built"))
    compiler.build(folder, folder)
    return folder


@pytest.mark.parametrize("words", compiler.WIDTHS)
def test_a_library_is_loaded_by_the_width_of_its_masks(built, words):
    loaded = library.load(words, built)
    assert isinstance(loaded, ctypes.CDLL)
    assert loaded.words() == words


def test_a_library_is_loaded_once(built):
    assert library.load(1, built) is library.load(1, built)


def test_the_engine_of_this_checkout_is_loaded():
    loaded = [library.load(words) for words in compiler.WIDTHS]
    assert all(hasattr(each, "chungtay_source") for each in loaded)


def test_an_engine_that_was_never_built_is_told(tmp_path):
    with pytest.raises(Conflict) as caught:
        library.load(1, csources.write(tmp_path))
    assert str(caught.value) == (
        f"The matching engine has not been built on this machine. {REMEDY}"
    )


def test_an_engine_from_older_sources_is_not_used(tmp_path):
    compiler.build(csources.write(tmp_path), tmp_path)
    csources.write(tmp_path, answer=42)
    with pytest.raises(Conflict) as caught:
        library.load(1, tmp_path)
    assert str(caught.value) == (
        f"The matching engine was built from other sources or for another machine. {REMEDY}"
    )
    compiler.refresh(tmp_path)
    assert library.load(1, tmp_path).answer() == 42


def test_a_library_that_cannot_be_loaded_is_told_with_the_reason(tmp_path):
    mark = compiler.fingerprint(csources.write(tmp_path))
    compiler.library(1, tmp_path).write_text(f"no library, in spite of its mark {mark}")
    with pytest.raises(Conflict) as caught:
        library.load(1, tmp_path)
    told = str(caught.value)
    assert told.startswith("The matching engine cannot be loaded on this machine (")
    assert compiler.library(1).name in told
    assert told.endswith(REMEDY)


def test_the_sentence_is_whole_in_vietnamese(tmp_path):
    with pytest.raises(Conflict) as caught:
        library.load(1, tmp_path)
    told = translate(caught.value.message, Language.VI)
    assert told.startswith("Máy xếp lịch chưa được biên dịch trên máy tính này.")
    assert "`make setup`" in told
