"""What is there: versions, manifests, listings and how they are read. Imports server.

versions, version_names and manifests are plain data: policy imports these alone.
"""
