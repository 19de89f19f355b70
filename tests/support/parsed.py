"""An HTML page as its parts: what stands in it and what a reader sees."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "input", "br", "link", "img", "hr"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    children: list["Element | str"] = field(default_factory=list)

    def all(self, tag: str | None = None, **attributes: str) -> Iterator["Element"]:
        """Yield the elements in it; `class_` is one of its classes."""
        for child in self.children:
            if isinstance(child, Element):
                if (tag is None or child.tag == tag) and all(
                    child.has(key, value) for key, value in attributes.items()
                ):
                    yield child
                yield from child.all(tag, **attributes)

    def has(self, key: str, value: str) -> bool:
        found = self.attributes.get(key.rstrip("_")) or ""
        return value in found.split() if key == "class_" else found == value

    def one(self, tag: str | None = None, **attributes: str) -> "Element":
        return next(self.all(tag, **attributes))

    @property
    def text(self) -> str:
        """What a reader sees of it."""
        if self.tag in {"script", "style"}:
            return ""
        return " ".join(
            "".join(child if isinstance(child, str) else f" {child.text} " for child in self.children).split()
        )

    def rows(self) -> list[list[str]]:
        """The body of a table."""
        return [
            [cell.text for cell in row.children if isinstance(cell, Element)] for row in self.one("tbody").all("tr")
        ]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("document", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(page: bytes) -> Element:
    """Return the page's elements; it must close every one it opens."""
    builder = _Builder()
    builder.feed(page.decode())
    builder.close()
    assert len(builder.open) == 1
    return builder.open[0]
