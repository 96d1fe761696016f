"""What masterdata reads from the world: Odoo, and the reviewed mapping file."""
