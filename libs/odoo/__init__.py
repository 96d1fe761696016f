"""The Odoo port: one protocol, and its adapters over the network."""
