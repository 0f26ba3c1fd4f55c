"""What makes the lean reader leave a file to uproot."""

from __future__ import annotations


class UnsupportedError(Exception):
    """The file is in a form that the lean reader does not know, which is no fault of it.

    Never leaves `fourlep.io`: the file is read by uproot, and the message becomes the
    fall-back reason in the run's record.
    """
