"""`report`: the files analysts open, of the numbers as they are now."""

from pathlib import Path

import click

from z_interact_assets.cli.options import as_json, examples, print_json


@examples(
    "z-interact-assets report",
    "z-interact-assets report --out ~/reports",
    "z-interact-assets report --publish",
    "z-interact-assets report --json | jq -r .folder",
)
@click.command(short_help="Write the report analysts open: page, tables, summary.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for it, in place of REPORT_DIR.")
@click.option("--publish", is_flag=True, help="Upload it, too, and print links that are good for REPORT_LINK_HOURS.")
@as_json
def report(*, out: Path | None, publish: bool, as_json: bool) -> None:
    """List the bucket, count the table, append a snapshot to the history, and write a report of it all.

    A report is a folder of its own; `latest` beside it leads to the newest, and the newest REPORTS_KEPT stay.
    index.html is the page, images, storage_stats and history are tables as Parquet and CSV, datapackage.json says
    what their columns mean. It holds no prompts, and participants are pseudonyms, unless REPORT_PERSONAL_DATA is true.
    Where the bucket cannot be listed its numbers are unknown, never zero, and the report is written all the same.

    --publish uploads the files to REPORT_BUCKET_NAME, or to the images' bucket under private/reports/ and a name
    nobody can guess. There, a bucket with a public URL serves whoever knows a key: a bucket of its own is better. A
    link is as good as a password until it expires; links are printed on stdout and kept nowhere.

    --json prints `folder`, `files`, `published` (null without --publish) and `stats`, the document of `stats --json`.
    """
    from z_interact_assets.cli.reporting import print_report, report_document, report_now  # noqa: PLC0415 - see app
    from z_interact_assets.cli.runs import opened_runs  # noqa: PLC0415 - imports dagster
    from z_interact_assets.cli.session import opened  # noqa: PLC0415

    with opened() as workspace, opened_runs(workspace) as runs:
        written, links = report_now(workspace, runs, out=out, publish=publish)
    if as_json:
        print_json(report_document(written, links))
    else:
        print_report(written, links)
