-- The newest readings change in place once a second: with room on its page an update touches no index.
ALTER TABLE latest SET (fillfactor = 50);
