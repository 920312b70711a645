"""What the platform says in the standards of others: NGSI-LD, OGC SensorThings, GeoJSON, open data.

Everything here reads; who may see what is judged as in the rest of the API. Rooms do not know each other;
`positions` is shared. Must not hold SQL, nor name a kind.
"""
