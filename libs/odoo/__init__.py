"""The Odoo port: one protocol, its adapters over the network, and the sandbox."""
