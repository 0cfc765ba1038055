"""What a run did, and its faces. Imports registry, settings and runner, never run."""
