-- What is under way is found without reading what has ended: commands that may expire, devices that an image is
-- offered to, and who the broker keeps a configuration for. Who is left out, and why, is counted.

-- squawk-ignore-file require-concurrent-index-creation
CREATE INDEX command_open ON command (expires_at)
WHERE status IN ('queued', 'sent', 'delivered', 'accepted', 'running');
CREATE INDEX rollout_device_under_way ON rollout_device (rollout_id) WHERE state IN ('offered', 'downloading');
CREATE INDEX device_config_published ON device_config (published_topic) WHERE published_topic IS NOT NULL;

ALTER TABLE command_request ADD COLUMN left_out integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN command_request.left_out IS 'devices that took no command when it was approved';
ALTER TABLE rollout ADD COLUMN left_out integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN rollout.left_out IS 'devices that lack the image and could not fetch it: they have no password';
