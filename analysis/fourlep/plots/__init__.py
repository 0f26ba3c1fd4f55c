"""Figures. They draw what they are given and compute nothing of the physics.

Every function takes finished numbers and returns a matplotlib ``Figure``;
`style.save` writes it as PNG and PDF and closes it.
"""
