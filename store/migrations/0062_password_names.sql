-- A device that fetches firmware shows its name on the wire: its passwords are found by it.

CREATE INDEX device_credential_username ON device_credential (username) WHERE form = 'password';
