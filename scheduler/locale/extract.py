"""Gathers the sentences of code and templates into the catalogues: `make messages`.

What is translated stays; new sentences come in empty; those no longer said go out.
"""

import ast
import sys
from collections.abc import Collection, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from scheduler.locale import DEFAULT, Language, catalogue_path

# Every name whose first argument is a sentence for a reader.
_CALLS = frozenset({"_", "gettext", "hard", "lazy", "text", "Text"})
_ERRORS = frozenset(
    {"ChungTayError", "NoTerm", "NotFound", "NotAllowed", "Conflict", "Stale", "Busy", "Invalid"}
)
_PLURALS = frozenset({"ngettext"})
# These names mean ours only when they come from here: SQLAlchemy has a `text` too.
_OURS = "scheduler.errors"
_FOREIGN = frozenset({"text", "Text"}) | _ERRORS
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
_DATED = (b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Last-Translator', b'"Language-Team',
          b'"Generated-By', b'"Report-Msgid-Bugs-To', b'"Project-Id-Version')  # fmt: skip

_Found = tuple[int, str, str | tuple[str, str], list[str]]


def gather(root: Path) -> Catalog:
    """Every sentence said in the checkout at `root`, in a catalogue without translations."""
    with (root / "scheduler" / "locale" / "babel.cfg").open() as mapping:
        methods, options = parse_mapping_cfg(mapping)  # type: ignore[no-untyped-call]
    template = Catalog(charset="utf-8", fuzzy=False)
    for _, _, message, _, context in extract_from_dir(
        root, methods, options, _KEYWORDS, directory_filter=_is_source
    ):
        template.add(message, context=context)
    return template


def update(path: Path, template: Catalog, language: Language) -> None:
    """Write the catalogue at `path` anew from the template, with the translations it has."""
    if path.exists():
        with path.open("rb") as source:
            catalogue = read_po(source, locale=language, charset="utf-8")
    else:
        catalogue = Catalog(locale=language, charset="utf-8", fuzzy=False)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.header_comment = (
        "# What Chung Tay says. Made by `make messages`; the translations are written by hand."
    )
    text = BytesIO()
    write_po(text, catalogue, width=100, no_location=True, sort_output=True, ignore_obsolete=True)
    lines = text.getvalue().splitlines(keepends=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(line for line in lines if not line.startswith(_DATED)))


def from_code(
    source: IO[bytes],
    _keywords: Collection[str],
    _comment_tags: Collection[str],
    options: Mapping[str, object],  # noqa: ARG001 - Babel passes it by this name
) -> Iterator[_Found]:
    """The sentences of one Python module, as Babel asks an extractor for them."""
    tree = ast.parse(source.read())
    ours = set(_names_from_errors(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _sentences(node, ours)


def from_routes(
    source: IO[bytes],
    keywords: Collection[str],
    comment_tags: Collection[str],
    options: Mapping[str, object],
) -> Iterator[_Found]:
    """As `from_code`, with what the API says of its routes, of its shapes and of parameters."""
    yield from from_code(source, keywords, comment_tags, options)
    source.seek(0)
    for node in ast.walk(ast.parse(source.read())):
        said = _described(node)
        if said:
            yield getattr(node, "lineno", 0), "gettext", said, []


def _described(node: ast.AST) -> str:
    """The first line of a route, all of a shape in one line, a parameter's own words."""
    match node:
        case ast.FunctionDef() if any(map(_is_route, node.decorator_list)):
            return (ast.get_docstring(node) or "").partition("\n")[0]
        case ast.ClassDef(name) if name.endswith(("Out", "In")) and not name.startswith("_"):
            return " ".join((ast.get_docstring(node) or "").split())
        case ast.keyword("description", ast.Constant(str(words))):
            return words
    return ""


def _is_route(decorator: ast.expr) -> bool:
    match decorator:
        case ast.Call(ast.Attribute(ast.Name("router"))):
            return True
    return False


def _names_from_errors(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == _OURS:
            yield from (alias.asname or alias.name for alias in node.names)


def _sentences(call: ast.Call, ours: set[str]) -> Iterator[_Found]:
    match call.func:
        case ast.Name(name) if name not in _FOREIGN or name in ours:
            pass
        case ast.Attribute(ast.Name("errors"), name):
            pass
        case ast.Attribute(_, "gettext" | "ngettext" as name):
            pass
        case _:
            return
    said = [_constant(argument) for argument in call.args[:2]]
    match said:
        case [str(one), str(many)] if name in _PLURALS:
            yield call.lineno, "ngettext", (one, many), []
        case [str(sentence), *_] if name in _CALLS | _ERRORS:
            yield call.lineno, "gettext", sentence, []


def _constant(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _is_source(directory: str) -> bool:
    return Path(directory).name not in {"var", "build", "dist", "node_modules"} and not Path(
        directory
    ).name.startswith((".", "_"))


def untranslated(catalogue: Catalog) -> list[str]:
    """The msgids that still wait for words, a plural by its first form."""
    waiting = [m for m in catalogue if m.id and not all(_forms(m.string))]
    return [_forms(message.id)[0] for message in waiting]


def _forms(words: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (words or "",) if isinstance(words, str | None) else tuple(words)


def main() -> None:
    """Bring both catalogues up to date and say which sentences still wait for Vietnamese."""
    template = gather(Path.cwd())
    for language in Language:
        update(catalogue_path(language), template, language)
    with catalogue_path(DEFAULT).open("rb") as source:
        waiting = untranslated(read_po(source, locale=DEFAULT))
    sys.stdout.writelines(f"not yet in Vietnamese: {msgid}\n" for msgid in waiting)


if __name__ == "__main__":
    main()
