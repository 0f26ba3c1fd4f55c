"""Where the embedded facility keeps things, and the choices of one run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fourlep.config.settings import text
from fourlep.errors import ConfigError, OutputError


def repository() -> Path:
    """Root of the checkout with ``images/`` and ``notebooks/`` (``FOURLEP_REPOSITORY``).

    Raises
    ------
    ConfigError
        If the configuration files are not there, as in an installation from a wheel.
    """
    root = Path(text("FOURLEP_REPOSITORY", str(Path(__file__).resolve().parents[4])))
    if not (root / "images" / "hub" / "jupyterhub_config.py").is_file():
        raise ConfigError(
            f"{root} holds no images/hub/jupyterhub_config.py",
            remedy="run from a checkout of fourlep, or name one in FOURLEP_REPOSITORY",
        )
    return root


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports (and one UDP port, ``monitor``) on 127.0.0.1."""

    public: int
    proxy_api: int
    hub: int
    gateway: int
    gateway_api: int
    schedulers: int
    cache: int
    origin: int
    metrics: int
    monitor: int


@dataclass(frozen=True, slots=True)
class Run:
    """The choices of one run of the facility.

    Parameters
    ----------
    facility_id
        Marks every process of the run, in its environment.
    ports
        Where the parts listen.
    origin
        ``host:port`` of the origin, and whether it is ours.
    own_origin
        Whether the facility starts the origin.
    export
        Path prefix of the data at the origin.
    fileset
        What the notebooks run over: a fileset's name or file, "" for none.
    users
        Who may log in.
    environment
        Further settings of the parts, by variable.
    """

    facility_id: str
    ports: Ports
    origin: str
    own_origin: bool
    export: str
    fileset: str
    users: tuple[str, ...]
    environment: dict[str, str]


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below the facility's folder."""

    root: Path

    @property
    def secrets(self) -> Path:
        """One file a secret, readable by the owner only."""
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        """One file a part."""
        return self.root / "logs"

    @property
    def homes(self) -> Path:
        """Homes of the users."""
        return self.root / "homes"

    @property
    def data(self) -> Path:
        """What the origin serves; its user can read it."""
        return self.root / "data"

    @property
    def cache(self) -> Path:
        """Blocks of the cache; its user can write it."""
        return self.root / "cache"

    @property
    def release(self) -> Path:
        """The stand-in release that is made where no data was chosen."""
        return self.root / "release"

    @property
    def fileset(self) -> Path:
        """The release that the origin serves, as a fileset."""
        return self.root / "fileset.json"

    @property
    def state(self) -> Path:
        """What the supervisor last wrote."""
        return self.root / "state.json"

    @property
    def run(self) -> Path:
        """The choices of the present run."""
        return self.root / "run.json"

    def work(self, part: str) -> Path:
        """Folder for the own files of ``part``."""
        return self.root / "work" / part

    def log(self, part: str) -> Path:
        """Log file of ``part``."""
        return self.logs / f"{part}.log"

    def make(self) -> None:
        """Make the folders, closed to others except what the XRootD user must pass.

        Raises
        ------
        OutputError
            If they cannot be made.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for folder in (self.secrets, self.logs, self.homes):
                folder.mkdir(mode=0o700, exist_ok=True)
            for folder in (self.data, self.cache, self.work("hub"), self.work("gateway")):
                folder.mkdir(parents=True, exist_ok=True)
            self.work("gateway").chmod(0o700)
            self.work("hub").chmod(0o700)
        except OSError as error:
            raise OutputError(
                f"the folder {self.root} cannot be used: {error.strerror}",
                remedy="name another with --directory",
            ) from error

    def write_run(self, run: Run) -> None:
        """Keep ``run`` for the supervisor and for whoever asks later."""
        self.run.write_text(json.dumps(asdict(run), indent=1), encoding="utf-8")

    def read_run(self) -> Run | None:
        """Read the choices of the latest run; None where there was none."""
        try:
            found: dict[str, Any] = json.loads(self.run.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return Run(**{**found, "ports": Ports(**found["ports"]), "users": tuple(found["users"])})
