"""The partners' face. Read `application.py` first."""
