"""Run as a program: migrate N rows of about 20 KB into a store that keeps nothing; print the peak memory as JSON."""

import json
import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import perf_counter

from tests.support.images import base64_of, make_png, with_comment
from tests.support.reading import peak_bytes
from tests.support.sites import PUBLIC_URL, Site
from tests.support.stores import NullStore
from tests.support.tables import CREATED_AT, AppTable

IMAGE_BYTES = 20_000


def rows(count: int) -> Iterator[tuple[str, str | None, str | None]]:
    """Half in image_data, half in data: URLs; none compresses and none is another's equal."""
    png, noise = make_png(1), random.Random(1)
    for number in range(count):
        text = base64_of(with_comment(png, noise.randbytes(IMAGE_BYTES).hex().encode()[:IMAGE_BYTES]))
        yield (f"{number:06}", text, None) if number % 2 else (f"{number:06}", None, f"data:image/png;base64,{text}")


def main(folder: Path, count: int) -> None:
    app = AppTable(folder / "local.db")
    with closing(sqlite3.connect(app.path)) as connection, connection:
        connection.executemany(
            "INSERT INTO images (id, image_data, image_url, persona_id, prompt, created_at) "
            f"VALUES (?, ?, ?, 'gen-z', 'a prompt', {CREATED_AT})",
            rows(count),
        )
    with closing(Site(folder, app, NullStore(public_url=PUBLIC_URL), batch_size=100, concurrency=16)) as site:
        started = perf_counter()
        report = site.report()
        seconds = perf_counter() - started
    assert report["migrated"] == count, report
    print(json.dumps({"rows": count, "peak_bytes": peak_bytes(), "seconds": round(seconds, 1)}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
