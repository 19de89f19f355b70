"""Reports of the storage for people: a page, tables, and what describes them, in a folder that is always whole.

`writing` puts a report together and `publishing` uploads it. `folder` is how it gets on disk, `catalogue` which files
there are, `columns`, `texts` and `tables` how tables become Parquet and CSV, `image_table`, `totals_table` and
`history_table` what is in them; `attention` is what needs a hand, `summary` and `page` say it all, `datapackage`
describes it.
"""

from z_interact_assets.report.publishing import PublishedFile, publish_report
from z_interact_assets.report.writing import ReportOptions, WrittenReport, write_report

__all__ = ["PublishedFile", "ReportOptions", "WrittenReport", "publish_report", "write_report"]
