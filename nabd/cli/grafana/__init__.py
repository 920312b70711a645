"""`nabd grafana`: dashboards as files, and servers of Grafana brought to them."""
