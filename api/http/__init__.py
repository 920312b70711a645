"""HTTP itself: who may ask, pages, formats, problems, tokens, the server. Knows no route and no schema."""
