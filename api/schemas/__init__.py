"""Requests and responses of more than one route, as pydantic models. No route and no SQL lives here."""
