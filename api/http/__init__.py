"""HTTP itself: access, pages, formats, problems, tokens, the server. Knows no route and no schema."""
