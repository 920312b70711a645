-- Messages stop coming to a browser that was signed out, whoever did it: from afar, with another password, by disabling.

-- Nobody had many: the table is small, and its rows are not checked for long.
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
ALTER TABLE push_subscription ADD COLUMN session_id bigint REFERENCES session (id) ON DELETE SET NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX push_subscription_session ON push_subscription (session_id);
COMMENT ON COLUMN push_subscription.session_id IS
'in which it was made, or last said again; NULL once that ended by its age: who is on call is told all the same';
