"""Lists as files: all that is asked for, as CSV, NDJSON, Parquet or GeoJSON, streamed.

Must not know what is listed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi.responses import StreamingResponse

from api.http import files, formats
from api.http.files import Flatten
from api.http.formats import MEDIA_TYPES, TABLES, Format
from api.http.parquet import FileColumn

FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPES[form]: {} for form in TABLES if form is not Format.JSON}}
}
"""What an address answers with that answers with files."""
PLACED_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {**FILE[200]["content"], MEDIA_TYPES[Format.GEOJSON]: {}}}
}
"""The same where rows have places."""


def response_of(
    form: Format, body: AsyncIterator[bytes], *, name: str, saved: bool = True
) -> StreamingResponse:
    """Return the bytes of a file as the answer; saved: browsers save it, as `name` without its ending."""
    headers = {"Vary": "Accept"}
    if saved:
        headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    if form is Format.PARQUET:
        headers["Content-Encoding"] = "identity"  # compressed already: again would cost time for nothing
    media_type = MEDIA_TYPES[form] + ("; charset=utf-8" if form is Format.CSV else "")
    return StreamingResponse(body, media_type=media_type, headers=headers)


async def exported(
    form: Format,
    columns: Sequence[FileColumn],
    pages: AsyncIterator[list[dict[str, Any]]],
    *,
    name: str,
    flat: Flatten | None = None,
    bom: bool = False,
) -> StreamingResponse:
    """Return rows as a file to be saved; see files.body_of.

    Args:
        form: CSV, NDJSON, Parquet or GeoJSON.
        columns: of all but NDJSON; texts by language, lists and objects are JSON in their cells.
        pages: of rows; what fails before the first is answered as an error.
        name: of the file, without its ending.
        flat: see files.body_of.
        bom: see formats.as_csv.
    """
    rows = await formats.begun(pages)
    return response_of(form, files.body_of(form, columns, rows, flat=flat, bom=bom), name=name)
