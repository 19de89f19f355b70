"""`status`: where the migration stands, and the whole story of one image."""

from typing import TYPE_CHECKING, Any

import click

from z_interact_assets.cli.options import as_json, examples, plain, print_json
from z_interact_assets.cli.printing import print_image, print_status
from z_interact_assets.core.times import iso_utc

if TYPE_CHECKING:
    from z_interact_assets.storage.ledger import Ledger


@examples(
    "z-interact-assets status",
    "z-interact-assets status --quarantined",
    "z-interact-assets status --image-id 3f2c9c1e-…",
)
@click.command(short_help="Show where the migration stands.")
@click.option("--image-id", metavar="ID", help="What happened to this image, when, in which run, with which proof.")
@click.option("--quarantined", is_flag=True, help="List the rows that were set aside, with their reasons.")
@as_json
def status(*, image_id: str | None, quarantined: bool, as_json: bool) -> None:
    """Show where the migration stands, from the ledger alone: neither table nor R2 is asked."""
    from z_interact_assets.cli.session import opened  # noqa: PLC0415 - see app

    with opened(create_ledger=False) as workspace:
        ledger = workspace.ledger
        if image_id is not None:
            document = _image(ledger, image_id)
            print_json(document) if as_json else print_image(document)
        else:
            document = _summary(ledger, quarantined=quarantined)
            print_json(document) if as_json else print_status(document)


def _summary(ledger: "Ledger", *, quarantined: bool) -> dict[str, Any]:
    from z_interact_assets.core.models import PENDING_STATES, ItemState  # noqa: PLC0415 - see app

    batches = ledger.ask.batch_states()
    pending = [key for key, states in batches.items() if any(state in PENDING_STATES for state in states)]
    document: dict[str, Any] = {
        "batches": len(batches),
        "batches_pending": len(pending),
        "next_batch": pending[0] if pending else None,
        "states": {state.value: count for state, count in sorted(ledger.ask.states().items())},
        "quarantined_by_reason": {reason.value: count for reason, count in sorted(ledger.ask.reasons().items())},
    }
    if quarantined:
        document["quarantined"] = [
            {"image_id": item.image_id, "batch": item.batch_key, "reason": item.reason.value if item.reason else "",
             "message": item.reason.sentence if item.reason else "", "detail": item.detail}
            for item in ledger.ask.items([ItemState.QUARANTINED])
        ]  # fmt: skip
    return document


def _image(ledger: "Ledger", image_id: str) -> dict[str, Any]:
    item = ledger.ask.item(image_id)
    if item is None:
        raise click.BadParameter(f"the ledger knows no image {plain(image_id)}.", param_hint="--image-id")
    return {
        "image_id": item.image_id,
        "state": item.state.value,
        "reason": item.reason.value if item.reason else None,
        "detail": item.detail,
        "batch": item.batch_key,
        "source": item.source,
        "object_key": item.object_key,
        "content_type": item.content_type,
        "size": item.size,
        "dimensions": f"{item.width}x{item.height}" if item.width else None,
        "sha256": item.sha256,
        "md5": item.md5,
        "proof": item.proof,
        "history": [{**event, "at": iso_utc(event["at"])} for event in ledger.ask.history(image_id)],
    }
