"""What a run did, and its faces. Imports policy, registry, settings and runner, never run."""
