-- What was read in part only: a reading was made, and of the same message something could not be read.

ALTER TABLE source_state
    ADD COLUMN problems bigint NOT NULL DEFAULT 0,
    ADD COLUMN problem text NOT NULL DEFAULT '',
    ADD COLUMN problem_at timestamptz;
COMMENT ON COLUMN source_state.problems IS 'what devices said that was read in part only';
COMMENT ON COLUMN source_state.problem IS 'of the last of these the device, and what could not be read';
COMMENT ON COLUMN source_state.problem_at IS 'when that came';
