"""What masterdata does by itself."""
