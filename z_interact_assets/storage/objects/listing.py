"""A listing in parts that are asked for at once, yielded in order. What a page is, the caller's engine knows.

S3 gives a listing page by page, each page's place told by the one before: a million objects are a thousand round trips
in a row. Who knows some of the keys can have the bucket listed from each of them on.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from z_interact_assets.core.models import ObjectSummary
from z_interact_assets.storage.objects.reads import ListPage, no_answer_of_s3

_AT_ONCE = 8  # pages asked for and held, of 1,000 objects each


class Pages(Protocol):
    """Asks for one page."""

    def __call__(self, prefix: str, *, after: str = "", token: str = "") -> ListPage:
        """Return the page that `token` stands for, or the first one with keys above `after`."""
        ...


@dataclass(frozen=True, slots=True)
class _Part:
    """Keys above `after`, up to and with `until`."""

    after: str
    until: str | None
    first: "Future[ListPage]"


def listed(pages: Pages, prefix: str, cuts: Iterable[str]) -> Iterator[ObjectSummary]:
    """Yield the objects under a prefix in order. `cuts`, in order too, are keys to begin a part after.

    They need not be there. Best is one for each page's worth of objects: then all pages but the last ones are asked for
    many at once. A page that cannot be read raises.
    """
    inside = [cut for cut in cuts if cut.startswith(prefix)]
    waiting: deque[_Part] = deque()
    pool = ThreadPoolExecutor(min(_AT_ONCE, len(inside) + 1), thread_name_prefix="listing")
    try:
        for after, until in zip(["", *inside], [*inside, None], strict=True):
            waiting.append(_Part(after, until, pool.submit(pages, prefix, after=after)))
            if len(waiting) == _AT_ONCE:
                yield from _objects(pages, prefix, waiting.popleft())
        while waiting:
            yield from _objects(pages, prefix, waiting.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _objects(pages: Pages, prefix: str, part: _Part) -> Iterator[ObjectSummary]:
    page = part.first.result()
    while True:
        for entry in page.entries:
            if entry.key <= part.after:  # a server that knows no start-after would have each object listed many times
                raise no_answer_of_s3("the listing")
            if part.until is not None and entry.key > part.until:
                return
            yield entry
        # The part's last key ends it, whatever follows in the bucket.
        if page.token is None or (page.entries and page.entries[-1].key == part.until):
            return
        page = pages(prefix, token=page.token)
