"""The exception tree. One question decides a class: could the same call succeed if it were repeated?

ZInteractError
├── PermanentError              repeating cannot help; somebody must change something
│   ├── SettingsError           settings are missing or contradict each other (all problems at once)
│   ├── ImageRejectedError      these bytes or this text are not an image we may publish
│   ├── InvalidKeyError         an object key breaks the key rules
│   ├── UnsafeURLError          a URL that must not be fetched (scheme, address, type, size)
│   ├── SourceRefusedError      the server of a URL will not give us the image (404, 410, 403)
│   ├── ObjectNotFoundError     nothing is stored under this key
│   ├── ObjectDiffersError      other bytes are stored under this key; they are never overwritten
│   ├── StorageRefusedError     the object store refuses us: credentials, bucket, permission
│   ├── TableUnusableError      the app's table is absent, read-only or has a shape we cannot work with
│   ├── ReclaimRefusedError     base64 must not be cleared as things stand
│   ├── LedgerUnusableError     the ledger's database cannot hold our schema
│   ├── BackupUnusableError     a folder a backup cannot be made in, or that holds none
│   ├── BackupDamagedError      a file of a backup is not what its manifest says
│   └── ReportUnwritableError   there is nothing to report yet, or the folder takes no report
└── TransientError              may pass by itself; retried with a bound, then reported
    ├── SourceUnavailableError  the server of a URL did not answer in time, or failed inside
    ├── StorageUnavailableError the object store did not answer, throttled us or failed inside
    ├── TableUnavailableError   the app's database is locked or out of reach
    ├── LedgerUnavailableError  the ledger's database is locked, full or out of reach
    └── BackupUnavailableError  the disk of a backup is full or fails

Each error carries data (`key`, `reason`, `problems`) and a `remedy`: what the reader can do. No message ever holds a
secret or a payload.
"""

from collections.abc import Sequence

from z_interact_assets.core.reasons import Reason


class ZInteractError(Exception):
    """Base of every error this package raises on purpose.

    `message` is one sentence that names the thing; `remedy` one that says what to do (may be empty).
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class PermanentError(ZInteractError):
    """Repeating the call cannot help."""


class TransientError(ZInteractError):
    """The call may succeed later, unchanged."""


class SettingsError(PermanentError):
    """Settings are missing or wrong; `problems` lists all of them, one sentence each, none with a secret's value."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class ImageRejectedError(PermanentError):
    """Text or bytes that are not an image we may publish. `reason` is for machines, `detail` for people."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason.sentence} ({detail})" if detail else reason.sentence)


class _KeyError(PermanentError):
    def __init__(self, message: str, *, key: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.key = key


class InvalidKeyError(_KeyError):
    """An object key that is empty, too long or holds characters outside the rules."""


class ObjectNotFoundError(_KeyError):
    """Nothing is stored under `key`."""


class ObjectDiffersError(_KeyError):
    """Other bytes than ours are stored under `key`."""


class UnsafeURLError(PermanentError):
    """A URL that must not be fetched. The message names the rule it breaks, never the query string."""


class StorageRefusedError(PermanentError):
    """The object store refuses us (403, 404 on the bucket, 400). `code` is its S3 error code."""

    def __init__(self, message: str, *, code: str = "", remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.code = code

    @property
    def concerns_every_request(self) -> bool:
        """Tell whether any other request would be refused as well: the credentials or the bucket are wrong."""
        return self.code in _REFUSED_FOR_ALL


_REFUSED_FOR_ALL = frozenset({
    "403", "401", "AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Unauthorized",
    "NoSuchBucket", "RequestTimeTooSkewed", "ExpiredToken", "InvalidToken", "Redirected",
})  # fmt: skip


class TableUnusableError(PermanentError):
    """The app's table is absent, read-only or lacks the columns without which nothing can be done."""


class ReclaimRefusedError(PermanentError):
    """Base64 must not be cleared as things stand; nothing was."""


class LedgerUnusableError(PermanentError):
    """The ledger's database cannot be used as it is (read-only, a newer schema, not a ledger)."""


class StorageUnavailableError(TransientError):
    """The object store did not answer, answered 429 or 5xx, or broke off, after all retries."""


class TableUnavailableError(TransientError):
    """The app's database is locked or out of reach, after the busy timeout."""


class LedgerUnavailableError(TransientError):
    """The ledger's database is locked, full or out of reach."""


class SourceRefusedError(PermanentError):
    """The server of a foreign URL answered with a 4xx: gone, expired, forbidden. `status` is the HTTP status."""

    def __init__(self, message: str, *, status: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


class SourceUnavailableError(TransientError):
    """The server of a foreign URL was unreachable, too slow, throttled us or failed inside."""


class BackupUnusableError(PermanentError):
    """A backup cannot be made in this folder (it holds something else), or there is none in it."""


class BackupDamagedError(PermanentError):
    """A file of a backup is absent or not what the manifest says. `file` is its name."""

    def __init__(self, message: str, *, file: str) -> None:
        super().__init__(message, remedy="Fetch the file from another copy of the backup; nothing was restored.")
        self.file = file


class ReportUnwritableError(PermanentError):
    """No report can be written: there is nothing to report yet, or its folder does not take it."""


class BackupUnavailableError(TransientError):
    """The disk a backup lives on is full or fails."""
