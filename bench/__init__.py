"""Benchmarks of the server, run by ``python -m bench``: ratios against a bound measured in the same run."""
