"""Who a request's change is recorded for: the name of the person or the token that it is from."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from api.context import UsesIdentity


def author(identity: UsesIdentity) -> str:
    """Return the name of whom the request is from."""
    return identity.name


UsesAuthor = Annotated[str, Depends(author)]
