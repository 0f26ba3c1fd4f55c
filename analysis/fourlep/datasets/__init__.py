"""Which files there are, what they are worth, and which of their events are good.

`model` has the value objects; `catalogue` the 2024 release; `fileset` coffea's fileset
JSON; `good_runs` the good-run lists.
"""
