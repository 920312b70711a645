-- When a device was put up: silence and rules count from then on. Without it the device is planned.

ALTER TABLE device ADD COLUMN installed_at timestamptz;
COMMENT ON COLUMN device.installed_at IS 'since when it stands in the street; NULL: it is planned, and never alarms';

-- What registered itself by speaking, or was adopted, was heard before it was registered.
UPDATE device SET installed_at = least(
    device.created_at, (SELECT latest.received_at FROM latest WHERE latest.device_id = device.id)
);
