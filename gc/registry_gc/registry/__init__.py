"""What is there: versions, their manifests, and what refers to what. Imports server."""
