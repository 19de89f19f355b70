"""STATIC_DIR: the files behind `/images/x.jpg`, and no others."""

from pathlib import Path


class StaticFolder:
    """Reads files below one folder; a path that leads out of it, by `..` or by a link, is not there."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self._folder = folder.resolve()
        self._max_bytes = max_bytes

    def size(self, url_path: str) -> int:
        """Return the file's size in bytes, 0 if there is none."""
        path = self._find(url_path)
        return 0 if path is None else path.stat().st_size

    def read(self, url_path: str) -> bytes | None:
        """Return the file's bytes, or None if there is none (or it is larger than an image may be)."""
        path = self._find(url_path)
        return None if path is None else path.read_bytes()

    def _find(self, url_path: str) -> Path | None:
        relative = url_path.lstrip("/")
        # The app keeps them under static/images; a folder that is itself `images` works as well.
        for candidate in (self._folder / relative, self._folder / relative.removeprefix("images/")):
            try:
                path = candidate.resolve()
                if path.is_relative_to(self._folder) and path.is_file() and path.stat().st_size <= self._max_bytes:
                    return path
            except (OSError, ValueError):  # ValueError: a NUL in the name
                continue
        return None
