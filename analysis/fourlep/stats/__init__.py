"""From histograms to a measurement: templates, HistFactory workspace, fit, tests, limits.

Only this package knows pyhf, cabinetry and iminuit. It draws nothing and writes nothing.
"""
