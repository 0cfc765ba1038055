"""Removes old tags and unreachable manifests from a Gitea container registry."""

__version__ = "1.0.1"
