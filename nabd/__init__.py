"""The shell: settings, the `nabd` command, composition of processes, logs. Knows every other package."""
