"""Figures about work and alerts of one municipality: how soon, how often, and whether it helped.

`span` cuts time, `facts` is what is counted, `shaping` counts it (all three pure), `reading` fetches it.
Must not know who asks, nor how figures are shown.
"""
