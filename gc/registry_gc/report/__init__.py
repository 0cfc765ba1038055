"""The three faces of a run: the log, the job summary and the JSON report."""
