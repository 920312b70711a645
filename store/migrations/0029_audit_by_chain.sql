-- The newest rows of one municipality, without reading those of all others.

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX audit_of_chain ON audit (chain_id, id);
