"""The synthetic stand-in release: files that nothing can mistake for ATLAS data.

`rootfile` writes ROOT files byte by byte, `physlite` writes PHYSLITE trees from arrays.
"""
