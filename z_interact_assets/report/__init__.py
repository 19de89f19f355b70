"""Reports of the storage for people: a page, tables, and what describes them, in a folder that is always whole.

`writing` puts a report together and `publishing` uploads it. `folder` is how it gets on disk, `catalogue` which files
there are, `columns`, `texts` and `tables` how tables become Parquet and CSV, `image_table`, `totals_table` and
`history_table` what is in them; `attention` is what needs a hand, `summary` and `page` say it all, `datapackage`
describes it.
"""

from z_interact_assets.report.options import ReportOptions, WrittenReport
from z_interact_assets.report.publishing import PublishedFile, publish_report
from z_interact_assets.stats.sources import Sources

__all__ = ["PublishedFile", "ReportOptions", "WrittenReport", "publish_report", "write_report"]


def write_report(sources: Sources, options: ReportOptions, *, now_ms: int) -> WrittenReport:
    """Write a report; see `writing`."""
    from z_interact_assets.report import writing  # noqa: PLC0415 - pandas and pyarrow, which no other command needs

    return writing.write_report(sources, options, now_ms=now_ms)
