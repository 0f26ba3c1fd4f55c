"""What a stand-in release will hold, decided before anything is written."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass, field, replace
from importlib import resources

import numpy as np

from fourlep import __version__
from fourlep.errors import ConfigError
from fourlep.synth.parameters import Parameters, ProcessParameters
from fourlep.synth.rootfile.codec import Compression
from fourlep.synth.sample import FileFormat
from fourlep.synth.truth import four_lepton_share
from fourlep.units import PB_TO_FB

_FORMATS: tuple[FileFormat, ...] = ("physlite", "ntuple2020")
#: Bytes of an event and of a file, rounded up from what was written with ZLIB; for the
#: check of free space.
_SIMULATED_BYTES = {"physlite": 5_800, "ntuple2020": 700}
_OBSERVED_BYTES = {"physlite": 3_300, "ntuple2020": 600}
_STORED_FACTOR = 9
_FILE_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen of a release.

    Parameters
    ----------
    seed
        Equal options give equal files.
    events
        Simulated events of all processes together.
    files
        Files that each simulated dataset, and the data, are spread over.
    processes
        Names of the processes to simulate and to draw the data from; all when empty.
    mu
        Signal strength in the data.
    luminosity_ifb
        Integrated luminosity of the data in the good-run list (1/fb).
    filler
        Data events with fewer than four leptons, beside those with four.
    compression
        Of the files.
    file_format
        "physlite" or "ntuple2020".

    Raises
    ------
    ConfigError
        If a value is out of range.
    """

    seed: int = 1
    events: int = 160_000
    files: int = 2
    processes: tuple[str, ...] = ()
    mu: float = 1.0
    luminosity_ifb: float = 36.64674
    filler: int = 30_000
    compression: Compression = field(default_factory=Compression)
    file_format: FileFormat = "physlite"

    def __post_init__(self) -> None:
        limits = {
            "seed": self.seed >= 0,
            "events": self.events >= 1,
            "files": self.files >= 1,
            "mu": math.isfinite(self.mu) and self.mu >= 0.0,
            "luminosity": math.isfinite(self.luminosity_ifb) and self.luminosity_ifb > 0.0,
            "filler": self.filler >= 0,
        }
        for name, is_right in limits.items():
            if not is_right:
                raise ConfigError(
                    f"{name} is out of range",
                    remedy="seed, mu and filler are not negative, the others are positive",
                )
        if self.file_format not in _FORMATS:
            raise ConfigError(
                f"unknown format {self.file_format!r}", remedy=f"choose {' or '.join(_FORMATS)}"
            )

    @property
    def has_lumi_blocks(self) -> bool:
        """Whether files tell luminosity blocks; else they hold good events only."""
        return self.file_format == "physlite"

    @property
    def tag(self) -> str:
        """Eight digits that differ when options, parameters or version do.

        They are in every file name: a cache never has another release's bytes for it.
        """
        facts = resources.files("fourlep.synth").joinpath("parameters.toml").read_bytes()
        text = repr((__version__, sorted(asdict(self).items(), key=str)))
        return hashlib.blake2b(text.encode() + facts, digest_size=4).hexdigest()


@dataclass(frozen=True, slots=True)
class SimulatedFile:
    """One simulated file.

    Parameters
    ----------
    process
        What is in it.
    number
        Of the file within its dataset, from 1.
    n_four, n_filler
        Events with and without four leptons.
    weight_four, weight_filler
        Size of their weights.
    first_number
        First event number.
    """

    process: ProcessParameters
    number: int
    n_four: int
    n_filler: int
    weight_four: float
    weight_filler: float
    first_number: int

    @property
    def n_events(self) -> int:
        """All events."""
        return self.n_four + self.n_filler

    def name(self, tag: str) -> str:
        """Return the file's name."""
        process = self.process
        return f"SYNTHETIC.mc.{process.dsid}.{process.name}.{tag}._{self.number:06d}.root"


def simulated_files(options: Options, values: Parameters) -> tuple[SimulatedFile, ...]:
    """Spread the simulated events over processes and files.

    Every process has at least one event, every file too.
    """
    chosen = values.chosen(options.processes)
    total_share = sum(process.share for process in chosen)
    made: list[SimulatedFile] = []
    for process in chosen:
        size = max(1, round(options.events * process.share / total_share))
        n_filler = round(size * process.filler)
        made.extend(_files_of(process, size - n_filler, n_filler, min(options.files, size)))
    return tuple(made)


def _files_of(
    process: ProcessParameters, n_four: int, n_filler: int, files: int
) -> list[SimulatedFile]:
    from fourlep.synth.sample import stratum_weights

    weight_four, weight_filler = stratum_weights(process, n_four, n_filler)
    plain = SimulatedFile(process, 0, 0, 0, weight_four, weight_filler, 1)
    made: list[SimulatedFile] = []
    first = 1
    for number, (four, filler) in enumerate(
        zip(_spread(n_four, files), reversed(_spread(n_filler, files)), strict=True), start=1
    ):
        file = replace(plain, number=number, n_four=four, n_filler=filler, first_number=first)
        made.append(file)
        first += file.n_events
    return made


def _spread(total: int, parts: int) -> list[int]:
    """Split a number into nearly equal parts, the larger first."""
    return [total // parts + (part < total % parts) for part in range(parts)]


def expected_data(process: ProcessParameters, options: Options) -> float:
    """Return the data events with four leptons to expect of a process in the good-run list."""
    strength = options.mu if process.base == "higgs" else 1.0
    cross_section = process.generated_pb * four_lepton_share(process)
    return strength * cross_section * PB_TO_FB * options.luminosity_ifb


def needed_bytes(
    options: Options, simulated: tuple[SimulatedFile, ...], n_data: int, n_data_files: int
) -> int:
    """Estimate the size of the release, from above."""
    form = options.file_format
    n_simulated = sum(file.n_events for file in simulated)
    events = n_simulated * _SIMULATED_BYTES[form] + n_data * _OBSERVED_BYTES[form]
    factor = _STORED_FACTOR if options.compression.codec == "none" else 1
    return events * factor + (len(simulated) + n_data_files) * _FILE_BYTES


def generator(options: Options, *key: int | str) -> np.random.Generator:
    """Make the random generator of one part of the release, independent of all others."""
    words = [
        part
        if isinstance(part, int)
        else int.from_bytes(hashlib.sha256(part.encode()).digest()[:8])
        for part in key
    ]
    return np.random.default_rng([options.seed, *words])
