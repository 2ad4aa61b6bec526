"""Rows and their proteins come in; the part of each row goes out. No torch."""
