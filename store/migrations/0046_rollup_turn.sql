CREATE TABLE rollup_turn (one boolean PRIMARY KEY DEFAULT true CHECK (one));
INSERT INTO rollup_turn DEFAULT VALUES;
COMMENT ON TABLE rollup_turn IS 'whoever has locked its row brings rollups up to date; nobody else does meanwhile';
