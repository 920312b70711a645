"""How new credentials reach the hands of those who set devices up: a list, a sheet with codes, files.

Whatever holds a secret is readable by its owner alone from the beginning.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import segno

from devices import spreadsheet
from devices.credentials.credential import IssuedPassword
from devices.credentials.first_message import code_of
from devices.texts.catalogue import text
from devices.texts.languages import Language, called, direction_of
from nabd.broker.address import PORTS
from nabd.identity.tls_files import write
from work.weekly.paper import pdf_of

COLUMNS = ("device", "title", "municipality", "kind", "username", "password")
SECRET = 0o600

_PAGE = """<!DOCTYPE html>
<html lang="{language}" dir="{direction}"><head><meta charset="utf-8"><title>{title}</title>
<style>
@page {{ size: A4; margin: 12mm }}
body {{ font: 10pt system-ui, "Noto Sans", "Noto Naskh Arabic", sans-serif; margin: 0 }}
h1 {{ font-size: 13pt; margin: 0 0 1mm }}
p {{ margin: 0 0 4mm }}
ul {{ list-style: none; margin: 0; padding: 0 }}
li {{ display: inline-block; width: 84mm; margin: 0 2mm 4mm 0; border: 1px solid #999; border-radius: 2mm;
  padding: 3mm; break-inside: avoid; vertical-align: top; box-sizing: border-box }}
svg {{ float: inline-end; width: 26mm; height: 26mm }}
h2 {{ font-size: 11pt; margin: 0 }}
dl {{ margin: 1mm 0 0; font-size: 8.5pt }}
dt {{ color: #555; margin-top: 1mm }}
dd {{ margin: 0; font-family: monospace; font-size: 9.5pt; overflow-wrap: anywhere }}
.name {{ font-family: inherit; font-size: 8.5pt }}
</style></head><body><h1>{title}</h1><p>{hint}</p><ul>
{cards}
</ul></body></html>
"""


def with_port(host: str) -> str:
    """Return HOST:PORT of the broker's door for devices."""
    return host if ":" in host.rpartition("]")[2] else f"{host}:{PORTS['mqtts']}"


def as_csv(issued: Sequence[IssuedPassword]) -> bytes:
    """Return the list of what was made: a row a device, with its password."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows([spreadsheet.plain(getattr(one, column)) for column in COLUMNS] for one in issued)
    return out.getvalue().encode()


def as_page(issued: Sequence[IssuedPassword], broker: str, language: Language) -> str:
    """Return a page to print: a card a device, with a code that a phone or a device reads."""
    return _PAGE.format(
        language=language,
        direction=direction_of(language),
        title=escape(text(language, "sheet.title")),
        hint=escape(text(language, "sheet.hint")),
        cards="\n".join(_card(one, broker, language) for one in issued),
    )


def _card(one: IssuedPassword, broker: str, language: Language) -> str:
    code = segno.make(code_of(one, broker), error="m", micro=False)
    drawn = code.svg_inline(omitsize=True, border=2)
    said = (
        ("sheet.broker", broker),
        ("sheet.username", one.username),
        ("sheet.password", " ".join(one.password[i : i + 4] for i in range(0, len(one.password), 4))),
    )
    terms = "".join(
        f'<dt>{escape(text(language, key))}</dt><dd dir="ltr">{escape(value)}</dd>' for key, value in said
    )
    title = called(one.title, one.titles, language)
    name = f'<div class="name" dir="auto">{escape(title)}</div>' if title else ""
    return f'<li>{drawn}<h2 dir="ltr">{escape(one.device)}</h2>{name}<dl>{terms}</dl></li>'


def write_list(file: Path, issued: Sequence[IssuedPassword]) -> None:
    """Write the list of what was made."""
    write(file, as_csv(issued), mode=SECRET)


def write_sheet(file: Path, issued: Sequence[IssuedPassword], broker: str, language: Language) -> None:
    """Write the page to print, as a PDF where the file's name ends so.

    Raises:
        Conflict: a PDF cannot be made here.
    """
    page = as_page(issued, broker, language)
    write(file, pdf_of(page) if file.suffix.lower() == ".pdf" else page.encode(), mode=SECRET)
