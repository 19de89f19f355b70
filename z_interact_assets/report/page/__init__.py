"""The report's page: index.html, its charts, and what they are made from."""

from z_interact_assets.report.page.data import Attention, FileLink, PageData
from z_interact_assets.report.page.figures import chart_png
from z_interact_assets.report.page.rendering import render_page

__all__ = ["Attention", "FileLink", "PageData", "chart_png", "render_page"]
