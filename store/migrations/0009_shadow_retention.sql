-- What shadows would have done is kept for as long as readings are.

ALTER TABLE rule_shadow ADD COLUMN pruned_until timestamptz;
COMMENT ON COLUMN rule_shadow.pruned_until IS 'what ended before this is gone from shadow_transition; NULL: all is there';
