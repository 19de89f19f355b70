"""Documents for people: the same numbers as --json, with units."""

from collections import Counter
from textwrap import fill
from typing import Any

import click

from z_interact_assets.cli.options import plain
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.units import size

SCREENFUL = 20
LONGEST_NAME = 200  # characters; an object key may have 1,024


def print_plan(document: dict[str, Any]) -> None:
    """Print the plan for people."""
    click.echo(f"{document['images']:,} images to migrate in {document['batches']:,} batches")
    if document["estimate"] is not None:
        cost = document["estimate"]
        click.echo(f"  to upload        {document['bytes'] / 1e6:,.1f} MB in {cost['class_a_operations']:,} objects")
        click.echo(f"  cost             ${cost['one_time_usd']:.4f} once, ${cost['monthly_storage_usd']:.4f} a month")
        click.echo(f"  database         {cost['database_bytes_freed'] / 1e6:,.1f} MB of base64 become superfluous")
        click.echo(f"  already in R2    {document['already_in_r2']:,} rows to be checked")
        click.echo(f"  duplicates       {document['duplicates']:,} images repeat another one's bytes")
        if document["large_images"]:
            click.echo(f"  large            {document['large_images']:,} images are over WARN_IMAGE_BYTES")
        _print_quarantined(document["quarantined"])
    click.echo(f"  left alone       {document['external']:,} external, {document['imageless']:,} without an image, "
               f"{document['skipped']:,} unfinished")  # fmt: skip


def _print_quarantined(quarantined: list[dict[str, str]]) -> None:
    click.echo(f"  to quarantine    {len(quarantined):,} rows, left exactly as they are")
    for reason, count in Counter(entry["reason"] for entry in quarantined).most_common():
        click.echo(f"    {count:>6,}  {reason:<22} {Reason(reason).sentence}")


def print_totals(document: dict[str, Any]) -> None:
    """Print a migration's outcome for people."""
    verb = "would be migrated" if document["dry_run"] else "migrated"
    click.echo(f"{document['migrated']:,} of {document['planned']:,} images {verb}")
    click.echo(
        f"  uploaded         {document['bytes_uploaded'] / 1e6:,.1f} MB in {document['objects_written']:,} objects"
    )
    click.echo(f"  already stored   {document['already_stored']:,}")
    click.echo(f"  quarantined      {document['quarantined']:,}")
    click.echo(f"  conflicts        {document['conflicts']:,}")
    click.echo(f"  failed           {document['failed']:,}")
    click.echo(f"  took             {document['duration_seconds']:,.1f} s, {document['batches']:,} batches")
    _print_errors(document["errors"])


def print_rollback(document: dict[str, Any]) -> None:
    """Print a rollback's outcome for people."""
    verb = "would be as they were before" if document["dry_run"] else "are as they were before"
    click.echo(f"{document['rolled_back']:,} of {document['total']:,} rows {verb} their migration")
    click.echo(f"  left alone       {document['skipped']:,} with nothing to give back, or deleted by the app")
    click.echo(f"  refused          {document['failed']:,}")
    click.echo(f"  objects deleted  {document['objects_deleted']:,}, kept for others {document['objects_kept']:,}")
    _print_errors(document["errors"])


def print_reclaim(document: dict[str, Any]) -> None:
    """Print a reclaim's outcome for people."""
    verb = "would be cleared" if document["dry_run"] else "cleared"
    click.echo(f"{document['reclaimed']:,} of {document['total']:,} base64 texts {verb}")
    click.echo(f"  freed            {document['bytes_reclaimed'] / 1e6:,.1f} MB of text")
    click.echo(f"  not due yet      {document['not_due']:,}")
    click.echo(f"  refused          {document['failed']:,}")
    if document["skipped"]:
        click.echo(f"  rows gone        {document['skipped']:,}")
    if document["database_bytes_after"] is not None:
        click.echo(f"  database         {_size_of(document, 'before')} before, {_size_of(document, 'after')} now")
    _print_errors(document["errors"])


def print_backup(document: dict[str, Any]) -> None:
    """Print what is in a backup's folder now, for people."""
    verb = "backed up" if document["finished"] else "backed up so far"
    click.echo(f"{document['rows']:,} rows {verb} in {plain(document['folder'])}")
    click.echo(f"  size             {document['bytes'] / 1e6:,.1f} MB in {document['parts']:,} files")
    if document["finished"]:
        click.echo(f"  ledger           {document['ledger_rows']:,} rows")
    if document["unaddressable"]:
        click.echo(f"  NOT in it        {document['unaddressable']:,} rows without a usable id")
    resumed = ", going on from an earlier run" if document["resumed"] else ""
    click.echo(f"  took             {document['duration_seconds']:,.1f} s{resumed}")


def print_restore(document: dict[str, Any]) -> None:
    """Print a restore's outcome for people."""
    are = "would be" if document["dry_run"] else "are"
    back = document["restored"] + document["inserted"] + document["unchanged"]
    click.echo(f"{back:,} of {document['total']:,} rows {are} as in the backup")
    click.echo(f"  put back         {document['restored']:,}")
    click.echo(f"  inserted         {document['inserted']:,} that were missing")
    click.echo(f"  unchanged        {document['unchanged']:,}")
    click.echo(f"  left alone       {document['changed']:,} that were changed since (--overwrite puts them back)")
    click.echo(f"  refused          {document['failed']:,}")
    if document["ledger"] is not None:
        click.echo(f"  ledger           {_LEDGER_FATES[document['ledger']]}")
    _print_errors(document["errors"])


_LEDGER_FATES = {
    "restored": "restored: it was empty",
    "left_alone": "left alone: it knows images",
    "nothing_to_restore": "the backup's knows nothing",
}


def _size_of(document: dict[str, Any], when: str) -> str:
    free = document[f"free_bytes_{when}"]
    unused = "" if free is None else f" ({free / 1e6:,.1f} MB of it free)"
    return f"{document[f'database_bytes_{when}'] / 1e6:,.1f} MB{unused}"


def print_verdict(document: dict[str, Any]) -> None:
    """Print the verdict, its conditions and what to do for those that do not hold."""
    safe = document["safe_to_drop_base64"]
    click.echo("It is safe to drop image_data." if safe else "Do NOT drop image_data yet.")
    for condition in document["conditions"]:
        mark = {True: "yes", False: "NO", None: "?"}[condition["holds"]]
        proved = condition["proved_at"] or "never"
        click.echo(f"  {mark:<4} {condition['name']:<30} {plain(condition['evidence'])}  (proved {proved})")
        if condition["remedy"]:
            click.echo(f"         → {condition['remedy']}")


def _print_errors(errors: list[dict[str, str]]) -> None:
    for entry in errors[:SCREENFUL]:
        click.echo(f"    {_short(entry['image_id'])} {entry['reason']:<22} {plain(entry['message'])}")
    if len(errors) > SCREENFUL:
        click.echo(f"    … and {len(errors) - SCREENFUL:,} more (--json lists them)")


def print_status(document: dict[str, Any]) -> None:
    """Print where the migration stands."""
    done = document["batches"] - document["batches_pending"]
    click.echo(f"{done:,} of {document['batches']:,} batches done")
    if document["next_batch"]:
        click.echo(f"  next batch       {document['next_batch']}   (z-interact-assets migrate)")
    for state, count in document["states"].items():
        click.echo(f"  {state:<16} {count:>8,}")
    for reason, count in document["quarantined_by_reason"].items():
        click.echo(f"    {reason:<22} {count:>6,}  {Reason(reason).sentence}")
    for entry in document.get("quarantined", []):
        click.echo(f"  {_short(entry['image_id'])} {entry['reason']:<22} {plain(entry['detail'])}")


def print_image(document: dict[str, Any]) -> None:
    """Print the whole story of one image."""
    for name, value in document.items():
        if name != "history" and value not in (None, ""):
            click.echo(f"{name:<14} {plain(value)}")
    for event in document["history"]:
        click.echo(f"  {event['at']}  {event['event']:<14} run {event['run_id'] or '-'}  {plain(event['facts'] or '')}")


def print_stats(document: dict[str, Any]) -> None:
    """Print the storage statistics."""
    health, total = document["health"], document["total_images"]
    score = "" if health["score"] is None else f", {health['score']} of 100"
    click.secho(f"{total:,} rows; health: {health['status']}{score}", bold=True)
    for name, text in _ROWS:
        if document[name] or name in _ALWAYS:
            click.echo(f"  {text:<32} {document[name]:>12,}  {_share(document[name], total)}")
    _print_sizes(document)
    for finding in document["findings"]:
        click.secho(f"\n{_MARKS[finding['severity']]} {finding['issue']}", bold=finding["severity"] in _GRAVE)
        click.echo(fill(finding["why"], 100, initial_indent="    ", subsequent_indent="    "))
        click.echo(f"    → {finding['command']}")
    if not document["findings"]:
        click.echo("Nothing is to be done.")


def _print_sizes(document: dict[str, Any]) -> None:
    database, growth, costs = document["database"], document["growth"], document["costs"]
    limit = f" of {size(database['limit_bytes'])}" if database["limit_bytes"] else ""
    objects = "unknown" if document["r2_objects"] is None else f"{document['r2_objects']:,} objects"
    click.echo(f"  {'bucket':<32} {size(document['r2_bytes']):>12}  {objects}")
    click.echo(f"  {'database':<32} {size(database['bytes']):>12} {limit}")
    click.echo(f"  {'base64 in it':<32} {size(database['base64_bytes']):>12}  "
               f"{size(database['reclaimable_now_bytes'])} of it may be cleared now")  # fmt: skip
    if growth["images_per_day"] is not None:
        full = f", full on {growth['full_on']} if they stay base64" if growth["full_on"] else ""
        click.echo(f"  {'new images a day':<32} {growth['images_per_day']:>12,}  "
                   f"{size(growth['bytes_per_day'])}{full}")  # fmt: skip
    click.echo(f"  {'cost a month':<32} {_usd(costs['now']):>12}  "
               f"all in R2 {_usd(costs['all_in_r2'])}, all as base64 {_usd(costs['all_base64'])}")  # fmt: skip


def _usd(cost: dict[str, float]) -> str:
    return "under $0.01" if 0 < cost["total"] < 0.01 else f"${cost['total']:,.2f}"  # noqa: PLR2004 - a cent


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:5.1f} %" if total else ""


_ROWS = (
    ("r2_images", "in R2, base64 gone"),
    ("mixed_images", "in R2, base64 kept for now"),
    ("base64_images", "base64 only"),
    ("external_images", "at another host"),
    ("local_images", "files of the app (/images/…)"),
    ("imageless_images", "completed without an image"),
    ("unfinished_images", "failed or still generating"),
    ("unrecognised_images", "with an unrecognised URL"),
    ("quarantined_images", "quarantined (of the above)"),
)
_ALWAYS = ("r2_images", "mixed_images", "base64_images")  # shown also where there are none
_GRAVE = ("loss", "work")
_MARKS = {"loss": "✗", "work": "!", "waste": "$", "note": "·"}


def _short(image_id: str) -> str:
    """Return an id that is safe and short enough for a terminal line."""
    return f"{plain(image_id[:40]):<40}"


def print_validation(document: dict[str, Any]) -> None:
    """Print what a validation found. What is null is unknown, not none."""
    verdict = "every claim holds" if document["is_valid"] else "NOT everything could be proved"
    click.echo(f"{document['valid']:,} of {document['checked']:,} images proved ({document['mode']}): {verdict}")
    for kind, explanation in _FALSE_CLAIMS.items():
        found = document[kind]
        shown = "unknown: the bucket could not be listed" if found is None else f"{len(found):,}"
        click.echo(f"  {kind:<12} {shown:>6}  {explanation}")
        for name in (found or [])[:SCREENFUL]:
            click.echo(f"    {plain(name[:LONGEST_NAME])}")


_FALSE_CLAIMS = {
    "missing": "no object in R2",
    "corrupted": "other bytes, size or type than was proved",
    "misdirected": "the row points elsewhere",
    "unreachable": "could not be asked; nothing is known",
    "orphaned": "objects that belong to no row (never deleted)",
    "shared": "objects that two rows name: deleting one row's image breaks the other",
    "rows_gone": "images whose row the app deleted",
}
