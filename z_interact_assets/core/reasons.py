"""Why a row was set aside: an enum for machines, one sentence each for people."""

from enum import StrEnum


class Reason(StrEnum):
    """Reason of a quarantined (or otherwise set aside) item; `sentence` says it in plain words."""

    BAD_BASE64 = "bad_base64"
    TRUNCATED_IMAGE = "truncated_image"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    CORRUPT_IMAGE = "corrupt_image"
    COLUMN_NAME_AS_VALUE = "column_name_as_value"
    UNSAFE_SVG = "unsafe_svg"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    EMPTY = "empty"
    BAD_KEY_PART = "bad_key_part"
    UNRECOGNISED_URL = "unrecognised_url"
    OBJECT_MISSING = "object_missing"
    OBJECT_DIFFERS = "object_differs"
    ROW_CHANGED = "row_changed"
    ROW_DELETED = "row_deleted"
    STORAGE_REFUSED = "storage_refused"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    TABLE_UNAVAILABLE = "table_unavailable"
    COMPLETED_WITHOUT_IMAGE = "completed_without_image"
    OBJECT_SHARED = "object_shared"
    UNDO_RECORD_UNFIT = "undo_record_unfit"
    NOT_AS_WRITTEN = "not_as_written"
    URL_NOT_PUBLIC = "url_not_public"

    @property
    def sentence(self) -> str:
        """One sentence for a human, without the row's own data."""
        return _SENTENCES[self]


_SENTENCES: dict[Reason, str] = {
    Reason.BAD_BASE64: "The text is not valid base64.",
    Reason.TRUNCATED_IMAGE: "The image ends before its format says it should.",
    Reason.NOT_AN_IMAGE: "The decoded bytes are not an image.",
    Reason.UNSUPPORTED_FORMAT: "The bytes are an image of a format that is not published.",
    Reason.CORRUPT_IMAGE: "The image's structure is damaged.",
    Reason.COLUMN_NAME_AS_VALUE: "The column holds its own name instead of an image (a faulty table rebuild).",
    Reason.UNSAFE_SVG: "The SVG holds script, handlers or outside references.",
    Reason.TOO_LARGE: "The image is larger than MAX_IMAGE_BYTES.",
    Reason.TOO_MANY_PIXELS: "The image would unpack to an unreasonable number of pixels.",
    Reason.EMPTY: "The column is set but empty.",
    Reason.BAD_KEY_PART: "The row's session or persona id cannot be part of an object key.",
    Reason.UNRECOGNISED_URL: "image_url is neither a data: URL, a path under /images/ nor an http(s) URL.",
    Reason.OBJECT_MISSING: "The row points at an R2 object that is not there.",
    Reason.OBJECT_DIFFERS: "R2 holds other bytes under this key than the row does; nothing was overwritten.",
    Reason.ROW_CHANGED: "The app changed the row while it was being migrated; it is planned again.",
    Reason.ROW_DELETED: "The app deleted the row after it was planned.",
    Reason.STORAGE_REFUSED: "R2 refused the object.",
    Reason.STORAGE_UNAVAILABLE: "R2 could not be reached; the next run tries again.",
    Reason.TABLE_UNAVAILABLE: "The app's database could not be reached; the next run tries again.",
    Reason.COMPLETED_WITHOUT_IMAGE: "The row says completed but holds no image.",
    Reason.OBJECT_SHARED: "Another row names the same object: deleting that row's image would take this one's with it.",
    Reason.UNDO_RECORD_UNFIT: "The ledger's record does not give the row's text back, byte for byte.",
    Reason.NOT_AS_WRITTEN: "The row does not hold what was just written: the app changed it meanwhile.",
    Reason.URL_NOT_PUBLIC: "The row's URL is not on R2_PUBLIC_URL or one of R2_FORMER_PUBLIC_URLS.",
}
