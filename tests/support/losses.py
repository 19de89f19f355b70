"""Whether an image was lost: every row is as the app wrote it, or points at an object that holds its bytes."""

from collections.abc import Iterable, Mapping

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import Site
from tests.support.tables import AppTable
from z_interact_assets.core.models import ItemState
from z_interact_assets.storage.objects import R2Store

DONE = {ItemState.PUBLISHED, ItemState.ALREADY_IN_R2}


class Rows:
    """The app's table, and each row's image as it was when the row was added."""

    def __init__(self, app: AppTable, public_url: str) -> None:
        self.app = app
        self._public_url = public_url
        self.images: dict[str, bytes] = {}
        self._written: dict[str, dict[str, object]] = {}

    def add_data(self, names: Iterable[str]) -> None:
        """Rows with base64 in image_data: the object is proved by its ETag."""
        self._add({name: {"image_data": base64_of(self._new(name))} for name in names})

    def add_data_urls(self, names: Iterable[str]) -> None:
        """Rows whose only copy is a data: URL: the object is read back."""
        self._add({name: {"image_url": data_url_of(self._new(name))} for name in names})

    def add_on_r2(self, names: Iterable[str], store: R2Store) -> None:
        """Rows that point at an object already: it is looked for."""
        urls = {name: {"image_url": store.upload(f"images/old/1-{name}.png", self._new(name)).url} for name in names}
        self._add(urls)

    def assert_nothing_lost(self, store: R2Store) -> None:
        """Look at every row, and read every object that one points at."""
        now = self.app.rows()
        assert now.keys() == self._written.keys()
        for name, row in now.items():
            url = str(row["image_url"])
            if url.startswith(self._public_url):
                assert store.download(url.removeprefix(f"{self._public_url}/")) == self.images[name], name
            else:
                assert row == self._written[name], name

    def assert_all_done(self, site: Site, store: R2Store) -> None:
        """Every row is on R2 and recorded, and the bucket holds one object for each, no more."""
        self.assert_nothing_lost(store)
        assert {state for state, _ in site.ended().values()} <= DONE
        assert site.ended().keys() == self.images.keys()
        keys = [site.key(name) for name in self.images]
        assert sorted(entry.key for entry in store.list()) == sorted(keys)
        assert all(str(row["image_url"]).startswith(self._public_url) for row in self.app.rows().values())

    def _new(self, name: str) -> bytes:
        self.images[name] = make_png(len(self.images) + 1)
        return self.images[name]

    def _add(self, rows: Mapping[str, Mapping[str, object]]) -> None:
        self.app.add_many([{"id": name, "persona_id": f"p-{name}", **columns} for name, columns in rows.items()])
        self._written = self.app.rows()
