"""What recon calls, by stub."""
