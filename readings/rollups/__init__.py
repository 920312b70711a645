"""Hours and local days of every device, kept beside its readings and longer than these.

`hours` and `holding` compute them from readings (pure), `marks` notes which hours a batch has touched,
`roll_up` brings those up to date, `backfill` makes them for readings that are older than rollups, `state`
says which can be believed. What their columns are is said by readings.kept. Must not know rules, alerts or
HTTP.
"""
