"""The inputs: each declared once, and how their text becomes a value. Imports errors only."""
