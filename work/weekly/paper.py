"""The report as a PDF, where the extra `pdf` is installed. Must not know what stands in it."""

from __future__ import annotations

from devices.registry.errors import Conflict

MISSING = "a PDF needs WeasyPrint: pip install 'nabd[pdf]'; or print the page from a browser"


def pdf_of(page: str) -> bytes:
    """Return an HTML document as PDF; nothing that it names is fetched.

    Raises:
        Conflict: WeasyPrint, or a library of the machine that it needs, is not installed.
    """
    try:
        from weasyprint import HTML
    except (ImportError, OSError):
        raise Conflict(MISSING) from None
    written: bytes = HTML(string=page, url_fetcher=_refuse).write_pdf()
    return written


def _refuse(url: str, *_: object, **__: object) -> dict[str, object]:
    raise ValueError(f"{url} is not fetched")
