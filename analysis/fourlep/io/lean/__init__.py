"""The reader at the limit: PHYSLITE trees, with hardly more work than inflating them.

From the outside in: `container` (header and keys), `tree` (table of baskets), `layout`
(what a basket holds), `baskets` and `inflate` (verified bytes), the two modules of
kernels and `values` (numbers), `cuts` and `scan` (a cascade on inflated bytes),
`gather` (what survives it), `reader` (the file), `fallback` (and uproot behind it).
"""
