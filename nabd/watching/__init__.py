"""Alert rules for the platform itself: what a Prometheus or a Grafana elsewhere should wake somebody for.

rules: the one source. prometheus, grafana: the files of each. All pure; nothing here watches anything.
"""
