"""What municipalities publish, open to everybody: newest values by kind, a page, and a catalogue of it.

Only measurements that a kind declares `public`, the device's name, its district and its place: never people,
titles and notes that somebody wrote, other attributes, or what devices say of their network. `rows` and
`catalogue` are pure.
"""
