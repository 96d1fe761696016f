"""gRPC for every service: servers, channels, errors, identity, permissions, pages.

Read `server.py` and `channel.py` first; the interceptors that `serve` installs are one module each.
"""
