"""Events to cutflows, candidates and histograms: pure functions on arrays, no file, no clock.

The named selections are in `registry`, what a selection is in `selection`.
"""
