"""What a release is made of, and how it is made: `python -m release`. Not part of the program."""
