-- What technicians know and where they work; which alerts are told although somebody works on their device.

ALTER TABLE person ADD COLUMN skills text [] NOT NULL DEFAULT '{}';
ALTER TABLE person ADD COLUMN districts text [] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN person.skills IS 'kinds of devices that they can repair; empty: nobody has said';
COMMENT ON COLUMN person.districts IS 'codes of the districts where they work; empty: nobody has said';

ALTER TABLE alert_hold ADD COLUMN severity text CHECK (severity IN ('critical', 'major', 'minor', 'warning'));
COMMENT ON COLUMN alert_hold.severity IS 'what is worse than this is told all the same; NULL: nothing is';
