"""What those are given who watch the platform from outside: alert rules, a heartbeat, traces.

rules: the one source. prometheus, grafana: the files of each; pure. heartbeat: a URL elsewhere, asked for
while all is well. traces: whether there are any. tracing: spans for a collector; loaded only then.
"""
