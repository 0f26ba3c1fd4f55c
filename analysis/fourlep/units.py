"""Units: energies are GeV and lengths mm inside fourlep, converted once on reading.

Multiply a number by its unit on reading, divide by the unit wanted on writing:
``pt_gev = raw * MeV``; ``sigma_pb = 1.2 * fb / pb``.
"""

from __future__ import annotations

GeV = 1.0
MeV = 1e-3 * GeV

mm = 1.0

pb = 1.0
fb = 1e-3 * pb

#: Luminosity is in 1/fb: ``events = cross_section_pb * PB_TO_FB * luminosity_ifb``.
PB_TO_FB = 1e3

#: Masses used by the selections, GeV (Particle Data Group, Phys. Rev. D 110 (2024) 030001).
Z_MASS = 91.1880
ELECTRON_MASS = 0.51099895e-3
MUON_MASS = 105.6583755e-3
