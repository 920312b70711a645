"""What more than one route shows or takes, as pydantic models. No route and no SQL lives here."""
