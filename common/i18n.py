"""Django's library `i18n`, whose `{% translate %}` of a plain text looks it up once for each language.

A page has a hundred of them, and each look-up goes through a lazy string and several thread-local variables: 6 % of the
processor time of a plain page, 5 % of a deployment's, 9 % of the design page (November 2026, measured by turns).
Templates load this one by Django's name (`TEMPLATES`), so that nothing else changes for them or for `makemessages`.
"""

from __future__ import annotations

from django import template
from django.template.base import Parser, Token
from django.template.context import Context
from django.templatetags import i18n
from django.utils.translation import get_language

from common.sentence_case import sentence_case

register = template.Library()
register.tags.update(i18n.register.tags)
register.filters.update(i18n.register.filters)


class Remembering(i18n.TranslateNode):
    """Of a text that stands in the template. There are as many of these as templates have, and few languages."""

    def __init__(self, node: i18n.TranslateNode) -> None:
        super().__init__(node.filter_expression, node.noop, None, None)
        self._name = node.asvar
        self._found: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        language = get_language()
        found = self._found.get(language)
        if found is None:
            found = self._found[language] = sentence_case(super().render(context))
        if not self._name:
            return found
        context[self._name] = found
        return ""


@register.tag("translate")
@register.tag("trans")
def translate(parser: Parser, token: Token) -> i18n.TranslateNode:
    node = i18n.do_translate(parser, token)
    expression = node.filter_expression
    is_plain = expression.var.lookups is None and not expression.filters
    return Remembering(node) if is_plain and not node.noop and not node.message_context else node
