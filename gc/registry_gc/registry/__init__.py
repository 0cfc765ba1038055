"""What is there: versions, manifests, listings and how they are read.

Imports server and settings. versions, version_names, trash_names, manifests and links reach no
server: policy imports these alone.
"""
