"""What each finding says: how grave it is, what is so, why it matters, the command that helps.

The reasons are for somebody who has never heard of base64, nor of buckets and objects.
"""

from dataclasses import dataclass
from enum import StrEnum

from z_interact_assets.core import units


class Severity(StrEnum):
    """What a finding is about."""

    LOSS = "loss"  # images are lost or about to be
    WORK = "work"  # somebody has to do something
    WASTE = "waste"  # money, nothing else
    NOTE = "note"  # worth knowing


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """`one` and `many` are the sentence for one and for more; `{count}` is their number, `{size}` what they take."""

    severity: Severity
    one: str
    many: str
    why: str
    command: str

    def issue(self, count: int, size: int) -> str:
        """Return the sentence."""
        return (self.one if count == 1 else self.many).format(count=f"{count:,}", size=units.size(size))


_MIGRATE = "z-interact-assets migrate"
_RECLAIM = "z-interact-assets reclaim --all-due"
_QUARANTINE = "z-interact-assets status --quarantined"
_VALIDATE = "z-interact-assets validate --json"
_REPORT = "z-interact-assets report"

# Gravest first: this is the order in which findings are told.
ADVICE = {
    "missing": Advice(
        severity=Severity.LOSS,
        one="1 object is missing from the bucket.",
        many="{count} objects are missing from the bucket.",
        why=(
            "The database says that these images are files in the cloud storage (R2), and the files are not "
            "there: whoever opens such an image sees a broken picture. The command lists them; those whose text "
            "copy is still in the database can be put back, the others only from a backup."
        ),
        command=_VALIDATE,
    ),
    "corrupted": Advice(
        severity=Severity.LOSS,
        one="1 object differs from what was recorded.",
        many="{count} objects differ from what was recorded.",
        why=(
            "These image files in the cloud storage (R2) are no longer what was uploaded: somebody replaced or "
            "damaged them. People may see a wrong or broken picture. The command lists them; delete no copy "
            "before they are looked at."
        ),
        command=_VALIDATE,
    ),
    "bucket_not_listed": Advice(
        severity=Severity.WORK,
        one="The bucket could not be listed.",
        many="The bucket could not be listed.",
        why=(
            "The cloud storage (R2) gave no list of its files, so nobody can say now whether any are missing. "
            "Numbers about it are unknown, which does not mean zero. The command finds out what stands in the "
            "way."
        ),
        command="z-interact-assets doctor",
    ),
    "database_filling_up": Advice(
        severity=Severity.WORK,
        one="The database is nearly full.",
        many="The database is nearly full.",
        why=(
            "A full database takes no new rows, and the app then loses what people make. Images stored as text "
            "are what fills it: move them to the cloud storage (migrate), then delete the copies that are no "
            "longer needed. The command does the second."
        ),
        command=_RECLAIM,
    ),
    "misdirected": Advice(
        severity=Severity.WORK,
        one="1 row does not point at its object.",
        many="{count} rows do not point at their object.",
        why=(
            "The address in these rows of the database is not that of the image file that was stored for them. "
            "The file is safe, but people may see another picture or none. The command lists them."
        ),
        command=_VALIDATE,
    ),
    "shared": Advice(
        severity=Severity.WORK,
        one="1 object is named by two rows.",
        many="{count} objects are named by two rows.",
        why=(
            "Two rows of the database use the same image file. If one is deleted in the app, its file goes with "
            "it and the other one's picture is broken. The command lists them; give each a file of its own."
        ),
        command=_VALIDATE,
    ),
    "failed": Advice(
        severity=Severity.WORK,
        one="1 image failed in the last run.",
        many="{count} images failed in the last run.",
        why=(
            "Their move to the cloud storage was interrupted by an outage. They are unharmed and still where they "
            "were; the next run tries again."
        ),
        command=_MIGRATE,
    ),
    "conflicts": Advice(
        severity=Severity.WORK,
        one="1 image was changed by the app during its migration.",
        many="{count} images were changed by the app during their migration.",
        why=(
            "Somebody edited these images in the very moment they were being moved, so the move was called off "
            "and the newer version kept. The next run takes them again."
        ),
        command=_MIGRATE,
    ),
    "quarantined": Advice(
        severity=Severity.WORK,
        one="1 image is quarantined.",
        many="{count} images are quarantined.",
        why=(
            "What the database holds for these is damaged or is no image, so it was left exactly as it is and not "
            "moved. The command lists each with its reason; a person has to decide: repair it in the app, or "
            "leave it."
        ),
        command=_QUARANTINE,
    ),
    "still_base64": Advice(
        severity=Severity.WORK,
        one="1 image is still base64 in the database.",
        many="{count} images are still base64 in the database.",
        why=(
            "Base64 is a way to write an image as text. It takes a third more room than the image, in the dearest "
            "place there is, and fills the database until it takes no more. The command moves these images to "
            "files in the cloud storage (R2) and leaves their text for now, in case it is needed again."
        ),
        command=_MIGRATE,
    ),
    "reclaimable": Advice(
        severity=Severity.WASTE,
        one="1 image in R2 still has its base64 in the database ({size}).",
        many="{count} images in R2 still have their base64 in the database ({size}).",
        why=(
            "These images are safe as files in the cloud storage (R2), and the waiting time is over in which "
            "their text copy was kept in case of doubt. The copies cost room in the database and nothing else. "
            "The command checks each file once more, then clears its copy."
        ),
        command=_RECLAIM,
    ),
    "orphans": Advice(
        severity=Severity.WASTE,
        one="1 object belongs to no row.",
        many="{count} objects belong to no row.",
        why=(
            "These files in the cloud storage (R2) are used by nothing in the database any more, mostly since "
            "their image was deleted or replaced. They cost a little money and harm nobody. The command lists "
            "them; delete by hand what nobody needs."
        ),
        command=_VALIDATE,
    ),
    "duplicates": Advice(
        severity=Severity.NOTE,
        one="1 object repeats another one's bytes ({size}).",
        many="{count} objects repeat another one's bytes ({size}).",
        why=(
            "The same picture is stored more than once, to the byte. That is allowed, since each image has a file "
            "of its own, but it costs room. The report's table of images shows which (same sha256)."
        ),
        command=_REPORT,
    ),
    "external": Advice(
        severity=Severity.NOTE,
        one="1 image is on another server.",
        many="{count} images are on other servers.",
        why=(
            "The database holds only the web address of these images, and the image itself is with its maker (an "
            "image service, for example). Such addresses may expire, and the picture is then gone. The report's "
            "table of images lists them; save what matters in the app."
        ),
        command=_REPORT,
    ),
    "unrecognised": Advice(
        severity=Severity.NOTE,
        one="1 row has an address that is none.",
        many="{count} rows have an address that is none.",
        why=(
            "Where the address of an image should be, these rows hold something that leads nowhere, so people see "
            "no picture. The command lists them with what was found; a person has to decide."
        ),
        command=_QUARANTINE,
    ),
    "rolled_back": Advice(
        severity=Severity.NOTE,
        one="1 image was rolled back to base64.",
        many="{count} images were rolled back to base64.",
        why=(
            "Somebody put these images back into the database as text, on purpose. They stay so until they are "
            "asked for: the command moves them to the cloud storage (R2) again."
        ),
        command="z-interact-assets migrate --rolled-back",
    ),
}
