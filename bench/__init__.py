"""What a run costs: requests, time and memory, against a plain serial loop."""
