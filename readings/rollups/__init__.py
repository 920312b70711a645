"""Hours and local days of every device, kept beside its readings and longer than these.

`columns` says what is kept of a measurement, `hours` and `holding` compute it from readings (pure), `marks`
notes which hours a batch has touched, `roll_up` brings those up to date, `backfill` makes them for readings
that are older than rollups. Must not know rules, alerts or HTTP.
"""
