"""The facility as processes of one machine, on loopback only.

``layout`` says where everything is, ``secrets`` makes what nobody may know, ``parts`` says
how each part is started and asked how it is, ``supervisor`` keeps them running and
``control`` is what the command line calls.
"""
