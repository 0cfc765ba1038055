"""The steps of a run, in their order. Imports every room but main."""
