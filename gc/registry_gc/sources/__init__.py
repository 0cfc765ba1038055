"""What is in use: the files that name images. Imports registry."""
