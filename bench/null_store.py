"""An object store that proves every write and keeps none of them, so that only the migration's own cost is seen."""

from collections.abc import Callable, Iterable, Iterator

from z_interact_assets.core.images import digest
from z_interact_assets.core.models import ImageMetadata, ObjectSummary, StoredObject, UploadResult


class NullStore:
    bucket = "nowhere"

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass

    def on_throttle(self, callback: Callable[[], None]) -> None:
        pass

    def public_url(self, key: str) -> str:
        return f"{self._public_url}/{key}"

    def upload(
        self,
        key: str,
        data: bytes | str,
        *,
        content_type: str | None = None,
        cache_control: str | None = None,
        metadata: ImageMetadata | None = None,
        overwrite: bool = False,
    ) -> UploadResult:
        assert isinstance(data, bytes)
        digests = digest(data)
        return UploadResult(
            key=key, size=len(data), etag=digests.md5, digests=digests, content_type=content_type or "",
            url=self.public_url(key), created=True,
        )  # fmt: skip

    def head(self, key: str) -> StoredObject | None:
        return None

    def download(self, key: str) -> bytes:
        raise KeyError(key)

    def list(self, prefix: str = "") -> Iterator[ObjectSummary]:
        return iter(())

    def delete(self, key: str) -> None:
        pass

    def delete_many(self, keys: Iterable[str]) -> int:
        return 0
