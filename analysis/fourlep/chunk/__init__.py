"""One file (or a range of it) in, one summable result out: the unit of work.

`model` has the values, `process` does the work. Execution runs it anywhere.
"""
