"""A document in a few lines of Markdown, under 1,000 characters. Pure; nothing of a row's own text is in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from z_interact_assets.core.units import size

_MOST_FINDINGS = 5


def summary(document: Mapping[str, Any]) -> str:
    """Return the summary."""
    return "\n\n".join([_where(document), _health(document), _money(document), _to_do(document["findings"])])


def _where(document: Mapping[str, Any]) -> str:
    moved = document["r2_images"] + document["mixed_images"]
    images = moved + document["base64_images"]
    share = f" ({100 * moved // images} % of those with an image)" if images else ""
    return (
        f"**{document['total_images']:,} rows**: {moved:,} in R2{share}, {document['base64_images']:,} base64 in the "
        f"database only. As of {document['generated_at'][:16].replace('T', ' ')} UTC."
    )


def _health(document: Mapping[str, Any]) -> str:
    health = document["health"]
    score = "the bucket could not be listed" if health["score"] is None else f"{health['score']} of 100"
    return f"Health: **{health['status']}**, {score}."


def _money(document: Mapping[str, Any]) -> str:
    database, costs = document["database"], document["costs"]
    sizes = f"Database {size(database['bytes'])}, bucket {size(document['r2_bytes'])}."
    return (
        f"{sizes} ${costs['now']['total']:,.2f} a month; with everything in R2 "
        f"${costs['all_in_r2']['total']:,.2f}, all as base64 ${costs['all_base64']['total']:,.2f}."
    )


def _to_do(findings: Sequence[Mapping[str, Any]]) -> str:
    if not findings:
        return "Nothing is to be done."
    lines = [f"- {finding['issue']} `{finding['command']}`" for finding in findings[:_MOST_FINDINGS]]
    more = len(findings) - _MOST_FINDINGS
    return "\n".join([*lines, *([f"- … and {more} more"] if more > 0 else [])])
