"""The pages, scripts and styles of the console; served without a build step."""
