-- Who was refused at the broker's door, as far as the broker says it: how often in each minute.

CREATE TABLE refused_sign_in (
    minute timestamptz NOT NULL,
    address text NOT NULL,
    client text NOT NULL,
    count bigint NOT NULL CHECK (count > 0),
    PRIMARY KEY (minute, address, client)
);
COMMENT ON TABLE refused_sign_in IS 'sign-ins that the broker refused, kept for 30 days';
COMMENT ON COLUMN refused_sign_in.address IS 'from where; empty: the broker did not say';
COMMENT ON COLUMN refused_sign_in.client IS 'as whom; empty: the broker did not say (mosquitto before 2.1 never does)';
