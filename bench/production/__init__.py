"""An installation as systemd would run it, on this machine and for a while: every account, door and password.

layout: where everything is. database, broker, processes, https: what runs. devices, lorawan: who speaks.
results: what became of it. run: all.
"""
