"""Sentences are put into templates when they are compiled: what is printed stays the same."""

import pytest
from jinja2 import Environment
from markupsafe import Markup

from scheduler.errors import Text
from scheduler.web.folding import FoldingEnvironment

SENTENCES = {
    "Join": "Vào lớp",
    "Class %(name)s": "Lớp <b>%(name)s</b>",
    "100%% done": "Xong 100%%",
    "One lesson": "Một tiết",
}
SOURCES = (
    "{{ _('Join') }}",
    "{{ _('100%% done') }}",
    "{{ _('Class %(name)s', name=name) }}",
    "{% trans %}Join{% endtrans %}",
    "{% trans name=name %}Class {{ name }}{% endtrans %}",
    "{{ _(said) }}",
    "{% set looks = {'a': ('x', _('Join'))} %}{{ looks[key][1] }}",
    "{% macro part(word=_('Join')) %}<i>{{ word }}</i>{% endmacro %}{{ part() }}{{ part(name) }}",
    "{{ ngettext('One lesson', '%(n)s lessons', 1, n=1) }}",
    "{% for each in [_('Join'), name] if each != _('Join') %}{{ each }}{% endfor %}",
    "{{ _('Class %(name)s', name=_('Join')) ~ name }}",
)
GIVEN = {"name": "7A & <8B>", "said": "Join", "key": "a"}


def environment(kind: type[Environment]) -> Environment:
    made = kind(extensions=["jinja2.ext.i18n"], autoescape=True)
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(
        lambda said: SENTENCES.get(said, said),
        lambda one, many, n: SENTENCES.get(one, one) if n == 1 else many,
        newstyle=True,
    )
    return made


@pytest.fixture
def folding():
    made = environment(FoldingEnvironment)
    made.say = lambda said: SENTENCES.get(said, said)
    return made


@pytest.mark.parametrize("source", SOURCES)
def test_a_page_is_what_it_was_without_folding(folding, source):
    plain = environment(Environment).from_string(source).render(**GIVEN)
    assert folding.from_string(source).render(**GIVEN) == plain


def test_what_is_written_out_is_looked_up_once_a_template(folding):
    asked = []
    folding.say = lambda said: asked.append(said) or said
    page = folding.from_string("{% for _each in range(9) %}{{ _('Join') }}{% endfor %}")
    assert [page.render() for _ in range(2)] == ["Join" * 9] * 2
    assert asked == ["Join"]


def test_only_the_named_functions_are_asked_once(folding):
    asked = []
    folding.globals.update(fixed=lambda word: asked.append(word) or word, free=asked.append)
    folding.fixed = frozenset({"fixed"})
    page = folding.from_string("{{ fixed('a') }}{{ free('b') }}{{ fixed(name) }}")
    assert [page.render(name="c") for _ in range(2)] == ["aNonec"] * 2
    assert asked == ["a", *("b", "c") * 2]


def test_readers_values_stay_escaped(folding):
    page = folding.from_string("{{ _('Class %(name)s', name=name) }}")
    assert page.render(name="<script>") == "Lớp <b>&lt;script&gt;</b>"
    assert page.render(name=Markup("<i>")) == "Lớp <b><i></b>"
    assert page.render(name=Text("<x>")) == "Lớp <b>&lt;x&gt;</b>"
