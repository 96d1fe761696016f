"""A stand-in for Odoo that keeps real books by Odoo's recorded rules: for evaluation, demonstration and tests.

It is not Odoo and says so; what it cannot imitate it refuses. `engine.Sandbox` is the whole of it, `seed.bootstrap`
gives it a company, `transport.InProcess` and `server.SandboxServer` let callers in. From below upwards: the store with
its schema; records of any model; lines and documents; posting; matches with their exchange entries; undoing; changes,
statements and the reversal wizard; the catalogue of methods.
"""
