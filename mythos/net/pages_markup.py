"""HTML that is safe by how it is made: words are escaped where they are put in, and only :func:`tag` makes markup."""

from __future__ import annotations

from html import escape

__all__ = ["Frame", "Markup", "joined", "link", "tag", "tags"]

#: Elements without content.
_VOID = frozenset({"link", "meta"})


class Markup(str):
    """HTML as it is sent; every other string is words."""

    __slots__ = ()


def tag(name: str, /, *inside: str, **attributes: str) -> Markup:
    """One element; ``class_`` gives its class, ``aria_label`` its ``aria-label``. What has no value is left out."""
    given = "".join(
        [f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items() if value]
    )
    if name in _VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{joined(*inside)}</{name}>")


def joined(*parts: str) -> Markup:
    return Markup("".join([part if isinstance(part, Markup) else escape(part, quote=False) for part in parts]))


def tags(name: str, *each: str) -> list[Markup]:
    """An element around each."""
    return [tag(name, one) for one in each]


def link(to: str, *words: str) -> Markup:
    return tag("a", *words, href=to)


class Frame:
    """What stands around every page.

    :param static: where the web client's files are served, ``/static/<hash>``
    :param ways: the pages that every page leads to, each its path and what it is called
    """

    def __init__(self, static: str, ways: tuple[tuple[str, str], ...]) -> None:
        self._static = static
        self._ways = ways

    def page(self, world: str, title: str, description: str, *inside: str, path: str = "") -> bytes:
        """
        :param world: what the world is called; :param title: of this page, which may be the same
        :param description: one or two sentences for whoever found the page by searching
        :param path: its own, for search engines; empty: they shall not keep it
        """
        head = joined(
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="dark light"),
            tag("title", title if title == world else f"{title} · {world}"),
            tag("meta", name="description", content=description),
            tag("link", rel="canonical", href=path) if path else tag("meta", name="robots", content="noindex"),
            tag("link", rel="icon", type="image/svg+xml", href=f"{self._static}/icon.svg"),
            tag("link", rel="stylesheet", href=f"{self._static}/css/pages.css"),
        )
        ways = [
            tag("li", tag("a", words, href=to, aria_current="page" if to == path else ""))
            for to, words in (("/", world), *self._ways)
        ]
        body = joined(
            tag("a", "To the page itself", class_="skip", href="#page"),
            tag("header", tag("nav", tag("ul", *ways), aria_label="Pages")),
            tag("main", tag("h1", title), *inside, id="page", tabindex="-1"),
        )
        return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'.encode()
