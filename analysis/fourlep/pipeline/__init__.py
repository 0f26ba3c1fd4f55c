"""The commands' work, in order: fileset to run directory, run directory to figures and page.

`run` is what ``fourlep run`` does and what notebooks call; `directory` is what a run leaves
on disk; `normalise` turns sums over chunks into expected events; `figures` and `page` draw.
"""
