"""What is kept and why, as pure functions of plain data. Imports registry and settings."""
