"""Text → HTML: everything except `Markup` is escaped, so no text of a user can become a tag."""

import html
import re
from collections.abc import Iterable
from typing import Any

EMPTY = frozenset({"br", "col", "hr", "img", "link", "meta", "wbr"})  # elements without content
BETWEEN_BACKTICKS = re.compile("`([^`]+)`")
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
"""Control characters, lone surrogates and non-characters: no HTML may hold them."""


class Markup(str):
    """Text that is HTML already; only this module and the style sheet make it."""

    __slots__ = ()


def element(name: str, /, *content: Any, **attributes: Any) -> Markup:
    """Return one element.

    Parameters
    ----------
    name
        Tag.
    content
        Markup, text or numbers (escaped), or iterables of these; None is left out.
    attributes
        `_` becomes `-`, a trailing one is dropped (`class_`); None and False are left out, True
        stands without a value.

    Examples
    --------
    >>> element("p", "1 < 2", element("b", "!"), class_="note", hidden=None)
    '<p class="note">1 &lt; 2<b>!</b></p>'
    >>> element("circle", cx=1.5, stroke_width=2)
    '<circle cx="1.5" stroke-width="2"></circle>'
    """
    opening = f"<{name}{''.join(_attribute(*pair) for pair in attributes.items())}>"
    return Markup(opening if name in EMPTY else f"{opening}{joined(content)}</{name}>")


def joined(content: Any) -> Markup:
    """Return content as one piece of markup, escaped where it is plain text.

    Examples
    --------
    >>> joined(["a & b", None, [1, element("br")]])
    'a &amp; b1<br>'
    """
    if content is None:
        return Markup("")
    if isinstance(content, Markup):
        return content
    if isinstance(content, Iterable) and not isinstance(content, str | bytes):
        return Markup("".join(joined(part) for part in content))
    return Markup(html.escape(printable(str(content)), quote=False))


def breakable(name: str) -> list[Any]:
    """Return a snake_case name as pieces of content that may break after each underscore.

    Examples
    --------
    >>> joined(breakable("nearest_homologue"))
    'nearest_<wbr>homologue'
    """
    first, *rest = re.split("(?<=_)", name)
    return [first, *([element("wbr"), piece] for piece in rest)]


def prose(text: str) -> list[Any]:
    """Return text as pieces of content, with the text between backticks as code.

    Examples
    --------
    >>> joined(prose("See `peftide split`, or `a < b`."))
    'See <code>peftide split</code>, or <code>a &lt; b</code>.'
    >>> joined(prose("one ` alone"))
    'one ` alone'
    """
    pieces = BETWEEN_BACKTICKS.split(text)
    return [element("code", piece) if at % 2 else piece for at, piece in enumerate(pieces)]


def printable(text: str) -> str:
    """Return text with a replacement character for each character that HTML forbids.

    Examples
    --------
    >>> len(printable("a" + chr(0) + "b")), printable("a" + chr(0)) == "a" + chr(0xFFFD)
    (3, True)
    """
    return FORBIDDEN.sub("\ufffd", text)


def _attribute(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    shown = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {shown}"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f' {shown}="{html.escape(printable(text), quote=True)}"'
