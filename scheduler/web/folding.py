"""Templates of one language: what is the same on every page is put in when they are compiled.

A page says some two hundred sentences; to look each up, and to ask for the address of each icon's
file, was most of what its rendering took; after that, three calls for each value that it prints.
"""

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, Template, nodes
from jinja2.compiler import CodeGenerator
from jinja2.environment import TemplateModule
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

_SAYING = frozenset({"_", "gettext"})


class _Printing(CodeGenerator):
    """Values are printed by one call, of the environment's `printed`, which escapes them."""

    def _output_child_pre(self, *_asked: Any, **_named: Any) -> None:
        self.write("environment.printed(")


class _Imported(Template):
    def _get_default_module(self, *_asked: Any, **_named: Any) -> TemplateModule:
        """Made once: no template has globals besides the environment's."""
        return super()._get_default_module()


class FoldingEnvironment(Environment):
    """Sentences that are written out are looked up once a template, by `say`, and so are `fixed`
    globals called with a written word: names of those whose answer never changes."""

    code_generator_class = _Printing
    template_class = _Imported
    say: Callable[[str], str] = str
    printed: Callable[[object], str] = staticmethod(escape)
    fixed: frozenset[str] = frozenset()

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,
    ) -> str:
        folded: nodes.Template = _Folding(self).visit(source)
        made: str = super()._generate(folded, name, filename, defer_init)
        return made


class _Folding(NodeTransformer):
    def __init__(self, environment: FoldingEnvironment) -> None:
        self.environment = environment

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - Jinja looks for the name
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Name) or node.dyn_args or node.dyn_kwargs:
            return node
        match node.node.name, node.args:
            case name, [nodes.Const(value=str(sentence))] if name in _SAYING:
                return self._sentence(node, sentence)
            case name, [nodes.Const(value=given)] if name in self.environment.fixed:
                function: Any = self.environment.globals[name]
                return nodes.Const(function(given), lineno=node.lineno)
        return node

    def _sentence(self, node: nodes.Call, sentence: str) -> nodes.Expr:
        """As Jinja's own gettext: escaped values in a text that may hold markup."""
        said = Markup(self.environment.say(sentence))  # noqa: S704 - ours, not a reader's
        if not node.kwargs:
            return nodes.Const(said % {}, lineno=node.lineno)
        pairs = [nodes.Pair(nodes.Const(each.key), each.value) for each in node.kwargs]
        written = nodes.Const(said, lineno=node.lineno)
        return nodes.Mod(written, nodes.Dict(pairs, lineno=node.lineno), lineno=node.lineno)
