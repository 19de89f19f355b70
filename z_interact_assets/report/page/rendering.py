"""The page, drawn: one HTML file that needs nothing else."""

from z_interact_assets.report.page.data import PageData


def render_page(data: PageData) -> bytes:
    """Return the report as one HTML file, UTF-8."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # only a report pays for it

    loader = PackageLoader("z_interact_assets.report.page")
    pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return pages.get_template("page.html.j2").render(data=data).encode()
