"""The report's page: index.html, its charts, and what they are made from."""

from z_interact_assets.report.page.data import Attention, FileLink, PageData
from z_interact_assets.report.page.rendering import render_page

__all__ = ["Attention", "FileLink", "PageData", "render_page"]
