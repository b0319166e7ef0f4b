"""Every sentence the code and the templates say is said in Vietnamese as well."""

import re
import tomllib
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from scheduler.locale import Language, catalogue_path, extract

ROOT = Path(__file__).parents[2]


def forms(words: object) -> tuple[str, ...]:
    if isinstance(words, list | tuple):
        return tuple(str(word) for word in words)
    return (str(words or ""),)


def places(sentence: str) -> set[str]:
    """{name} of code and %(name)s of templates."""
    named = set(re.findall(r"%\((\w+)\)[sd]", sentence))
    bare = re.sub(r"%\(\w+\)[sd]", "", sentence)
    return named | {f"{{{name}}}" for _, name, _, _ in Formatter().parse(bare) if name}


def catalogue(language: Language) -> Catalog:
    with catalogue_path(language).open("rb") as source:
        return read_po(source, locale=language)


@pytest.fixture(scope="module")
def said() -> list[Message]:
    return [message for message in extract.gather(ROOT) if message.id]


def test_every_sentence_has_its_vietnamese(said: list[Message]) -> None:
    vi = catalogue(Language.VI)
    known = {forms(each.id)[0]: forms(each.string) for each in vi if not each.fuzzy}
    missing = [
        msgid
        for msgid in (forms(message.id)[0] for message in said)
        if not all(known.get(msgid, ("",)))
    ]
    assert missing == []


@pytest.mark.parametrize("language", list(Language))
def test_a_translation_keeps_the_places_of_its_sentence(language: Language) -> None:
    changed = [
        (forms(message.id)[-1], translation)
        for message in catalogue(language)
        for translation in forms(message.string)
        if message.id and translation and places(translation) != places(forms(message.id)[-1])
    ]
    assert changed == []


def test_no_translation_waits_for_a_sentence_that_is_no_longer_said(said: list[Message]) -> None:
    spoken = {forms(message.id)[0] for message in said}
    kept = {forms(message.id)[0] for message in catalogue(Language.VI) if message.id}
    assert kept - spoken == set()


def test_a_catalogue_is_written_as_it_was_read(tmp_path: Path) -> None:
    template = extract.gather(ROOT)
    once, twice = tmp_path / "once.po", tmp_path / "twice.po"
    once.write_bytes(catalogue_path(Language.VI).read_bytes())
    extract.update(once, template, Language.VI)
    twice.write_bytes(once.read_bytes())
    extract.update(twice, template, Language.VI)
    assert twice.read_bytes() == once.read_bytes()
    assert b"Date" not in twice.read_bytes().split(b"\n\n", 1)[0]


def test_catalogues_travel_with_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["scheduler"]
    assert all(catalogue_path(language).is_file() for language in Language)
