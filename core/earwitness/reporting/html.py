"""HTML that can't be broken into: whatever isn't HTML already is escaped where it is put in."""

import math
from collections.abc import Iterable, Sequence
from html import escape

from earwitness.reporting.style import STYLE

__all__ = [
    "Html",
    "beside",
    "counted",
    "facts",
    "folded",
    "joined",
    "page",
    "picture",
    "pictures",
    "section",
    "table",
    "tag",
]

EMPTY = {"img", "meta"}
"""Elements without an end tag."""
POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"
"""What a browser may load: nothing but what stands in the page itself, and no script at all."""


class Html(str):
    """Text that is HTML; all other text is escaped by `tag`."""

    __slots__ = ()


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """An element; children that aren't `Html` are escaped, and so is every attribute. `class_` is `class`."""
    said = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"' for key, value in attributes.items())
    return Html(f"<{name}{said}>" + ("" if name in EMPTY else f"{joined(children)}</{name}>"))


def joined(parts: Iterable[object]) -> Html:
    """Parts one after the other, escaped where they aren't `Html`."""
    return Html("".join(part if isinstance(part, Html) else escape(str(part)) for part in parts))


def page(title: str, *body: Html) -> str:
    """A whole page that needs nothing but itself."""
    head = (
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("title", title),
        tag("style", Html(STYLE)),
    )
    return "<!doctype html>" + tag("html", tag("head", *head), tag("body", tag("main", *body)), lang="en") + "\n"


def section(title: str, *content: Html) -> Html:
    """A headed part of a page; nothing where there is nothing to say."""
    said = [each for each in content if each]
    return tag("section", tag("h2", title), *said) if said else Html()


def table(head: Sequence[str], rows: Iterable[Sequence[object]], kind: str = "scroll") -> Html:
    """A table; figures stand right, pairs of them are intervals.

    On a narrow screen it scrolls by itself; one of `kind` 'under' puts its last column under the others there.
    """
    cells = [[_cell(each) for each in row] for row in rows]
    if not cells:
        return Html()
    right = [all("n" in kind for _, kind in column) for column in zip(*cells, strict=True)]
    names = (tag("th", name, class_="n" if n else "t") for name, n in zip(head, right, strict=True))
    lines = (tag("tr", *(tag("td", text, class_=kind) for text, kind in row)) for row in cells)
    return tag("div", tag("table", tag("thead", tag("tr", *names)), tag("tbody", *lines)), class_=kind)


def _cell(value: object) -> tuple[object, str]:
    """What a cell shows and how: `n` a figure, `t` text."""
    match value:
        case None:
            return "–", "n"
        case float():
            return (f"{value:.3f}" if math.isfinite(value) else "–"), "n"
        case int():
            return value, "n"
        case (float() as low, float() as high):
            return f"{low:.3f} to {high:.3f}", "n"
        case _:
            return value, "t"


def counted(count: int, noun: str) -> str:
    """So many of something."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def facts(pairs: Iterable[tuple[str, object]]) -> Html:
    """Names with what is true of them, without those of which nothing is known."""
    told = [(tag("dt", name), tag("dd", value)) for name, value in pairs if value not in (None, "")]
    return tag("dl", *(joined(each) for each in told)) if told else Html()


def listed(items: Iterable[object]) -> Html:
    """Items under each other, or nothing."""
    lines = [tag("li", item) for item in items]
    return tag("ul", *lines) if lines else Html()


def folded(title: str, *content: Html) -> Html:
    """What is shown when asked for."""
    return tag("details", tag("summary", title), *content)


def picture(source: str, alt: str, caption: object = "", kind: str = "chart") -> Html:
    """A picture from a data URI; `kind` is 'chart', 'plot' of its own size, 'wide' where it scrolls, or 'photo'."""
    image = tag("div", tag("img", src=source, alt=alt), class_="scroll")
    return tag("figure", image, *([tag("figcaption", caption)] if caption else []), class_=kind)


def beside(*each: Html) -> Html:
    """What stands side by side at its own width, where there is room."""
    return tag("div", *each, class_="beside") if any(each) else Html()


def pictures(*each: Html) -> Html:
    """Pictures side by side as the width allows."""
    return tag("div", *each, class_="pictures") if any(each) else Html()
