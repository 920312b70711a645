-- A device that fetches firmware shows its name on the wire: its passwords are found by it. The table has a few rows a
-- device, so making the index holds writers up for a moment only.

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX device_credential_username ON device_credential (username) WHERE form = 'password';
