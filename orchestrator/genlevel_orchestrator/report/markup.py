"""HTML and SVG built from elements: every string is escaped on its way in, so no text of a bundle can become markup."""

from __future__ import annotations

import html
import re

VOID = frozenset({"meta", "br", "input"})  # of HTML; SVG shapes are closed, or they would swallow what follows
# Characters that HTML forbids even as entities, and the marks that reorder text on screen.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """Text that is markup already. Only this module, and files of this package, make it."""

    __slots__ = ()


Child = str | Markup | None


def escape(text: str) -> Markup:
    """Return text as markup that shows it.

    >>> escape('<b>"x"</b>')
    '&lt;b&gt;&quot;x&quot;&lt;/b&gt;'
    """
    return Markup(html.escape(_FORBIDDEN.sub("\ufffd", text), quote=True))


def element(tag: str, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """Return an element. Attributes that are None or False are left out; ``class_`` is class, ``data_x`` is data-x.

    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    parts = [tag]
    for name, value in attributes.items():
        key = name.rstrip("_").replace("_", "-")
        if value is True:
            parts.append(key)
        elif value is not None and value is not False:
            parts.append(f'{key}="{escape(_attribute(value))}"')
    opening = f"<{' '.join(parts)}>"
    return Markup(opening) if tag in VOID and not children else Markup(f"{opening}{join(*children)}</{tag}>")


def join(*children: Child) -> Markup:
    """Return children one after another; plain strings are escaped, None is left out."""
    return Markup("".join(c if isinstance(c, Markup) else escape(c) for c in children if c is not None))


def _attribute(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
