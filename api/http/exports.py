"""Lists as files: all that is asked for, as CSV or NDJSON, streamed. Must not know what is listed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi.responses import StreamingResponse

from api.http import formats
from api.http.formats import MEDIA_TYPES, Format


async def exported(
    form: Format,
    columns: Sequence[str],
    pages: AsyncIterator[list[dict[str, Any]]],
    *,
    name: str,
    bom: bool = False,
) -> StreamingResponse:
    """Return rows as a file to be saved.

    Args:
        form: CSV or NDJSON.
        columns: of CSV, in this order; texts by language, lists and objects are JSON in their cells.
        pages: of rows; what fails before the first is answered as an error.
        name: of the file, without its ending.
        bom: see formats.as_csv.
    """
    rows = await formats.begun(pages)
    body = formats.as_ndjson(rows) if form is Format.NDJSON else formats.as_csv(columns, rows, bom=bom)
    headers = {"Vary": "Accept", "Content-Disposition": f'attachment; filename="{name}.{form}"'}
    media_type = MEDIA_TYPES[form] + ("; charset=utf-8" if form is Format.CSV else "")
    return StreamingResponse(body, media_type=media_type, headers=headers)
