"""Benchmarks: our migration beside other tools, on one machine, in one run. README.md says how they measure.

In the repository only, not in the package: they need a C compiler and the tools they compare with.
"""
