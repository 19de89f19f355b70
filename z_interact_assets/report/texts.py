r"""Texts of strangers as they go into files: any text into Parquet, safe ones into CSV. No file is written here.

A spreadsheet takes a cell that begins with = + - @ for a formula, and a formula may send data away or start a program
(OWASP: CSV injection). Such texts get an apostrophe in front, which spreadsheets show as text. Control characters and
line breaks are written as escapes (`\n`, `\x00`), so that a row is a line, whatever reads it.
"""

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute

_compute: Any = pyarrow.compute  # its functions are made when it is imported: no type checker knows them
# Whitespace, quotes and what is not shown may stand before the sign: some programs drop it and then see the formula.
# The last four signs are the full-width ones of Chinese, Japanese and Korean keyboards.
_FORMULA = r"""^[\s\pZ\pC"'`]*[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]|^[\t\r\n]"""
_CONTROL = r"[\x00-\x1f\x7f-\x9f\x{2028}\x{2029}]"
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def arrow_array(values: Any, kind: pa.DataType) -> pa.Array:
    """Return a column of a pandas frame for Parquet.

    Of a text that is no Unicode, half of a surrogate pair becomes an escape.
    """
    if not pa.types.is_string(kind):
        return _whole(pa.array(values, type=kind, from_pandas=True))
    try:
        found = _whole(pa.Array.from_pandas(values))
        return found.dictionary_decode().cast(kind) if pa.types.is_dictionary(found.type) else found.cast(kind)
    except (UnicodeEncodeError, pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if pd.isna(value) else _unicode(value) for value in values], kind)


def csv_array(values: pa.Array) -> pa.Array:
    """Return a column of a Parquet table as CSV holds it: texts made safe, times in ISO 8601, numbers untouched."""
    if pa.types.is_timestamp(values.type):
        return _compute.strftime(values, format="%Y-%m-%dT%H:%M:%SZ")
    return _safe(values) if pa.types.is_string(values.type) else values


def safe_text(text: str) -> str:
    """Return one text as CSV holds it."""
    return csv_array(pa.array([text], pa.string()))[0].as_py()


def _safe(texts: pa.Array) -> pa.Array:
    marks = _compute.if_else(_compute.match_substring_regex(texts, _FORMULA), "'", "")
    if _compute.any(_compute.match_substring_regex(texts, _CONTROL)).as_py():
        texts = pa.array(_escaped(texts.to_pylist()), pa.string())
    return _compute.binary_join_element_wise(marks, texts, "")


def _escaped(texts: Iterable[str | None]) -> Iterable[str | None]:
    return [None if text is None else _CONTROLS.sub(_escape, text) for text in texts]


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _unicode(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()


def _whole(found: pa.Array | pa.ChunkedArray) -> pa.Array:
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
