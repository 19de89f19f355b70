"""Reports of the storage for people: made of the newest snapshot of the statistics, in a folder that is always whole.

`summary` is what is said, `folder` how it gets on disk, `writing` puts both together.
"""

from z_interact_assets.report.writing import WrittenReport, write_report

__all__ = ["WrittenReport", "write_report"]
