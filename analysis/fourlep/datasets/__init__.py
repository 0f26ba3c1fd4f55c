"""Which files there are, what they are worth, and which of their events are good.

`model` has the value objects and `good_runs` the good-run lists. `catalogue` is the list
of a release (`catalogue_format` its file, `amendment` what is wrong in it, `processes`
the choice of samples); `fileset` is what a run runs over, `coffea_fileset` its JSON.
"""
