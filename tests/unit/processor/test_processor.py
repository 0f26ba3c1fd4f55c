"""The selections in coffea."""

from dataclasses import replace
from pathlib import Path

import awkward as ak
import pytest
from coffea.nanoevents import BaseSchema, NanoEventsFactory, PHYSLITESchema
from coffea.processor import FuturesExecutor, IterativeExecutor, Runner

from fourlep.chunk.model import Chunk, ChunkResult
from fourlep.chunk.process import Analysis, process
from fourlep.corrections import make_corrections
from fourlep.errors import CorruptFileError, MissingColumnError
from fourlep.events import COLUMNS, Cascade, Events
from fourlep.io import open_events
from fourlep.physics.registry import CONFIGS, selection
from fourlep.physics.scipy2024 import Scipy2024, Scipy2024Config
from fourlep.processor import FourLeptonProcessor
from fourlep.processor.nanoevents import NanoFile
from fourlep.synth.survivors import make_file
from hand_made import Electron, events_of, pair

pytestmark = [
    # coffea says of each of a hundred branches that it cannot interpret it, and of its own
    # dependencies that they will change.
    pytest.mark.filterwarnings("ignore:Skipping .*:UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:coffea"),
]


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> str:
    """400 synthetic PHYSLITE events, of which a quarter have four leptons."""
    path = tmp_path_factory.mktemp("physlite") / "SYNTHETIC.root"
    make_file(path, events=400, four_leptons=0.25)
    return str(path)


@pytest.fixture(scope="module")
def nano(stand_in: str) -> ak.Array:
    """The stand-in as NanoEvents."""
    return _events(stand_in, mode="virtual")


@pytest.fixture(scope="module", params=["virtual", "eager"])
def real_nano(request: pytest.FixtureRequest, shared_data: Path) -> ak.Array:
    """The real sample as NanoEvents."""
    return _events(str(shared_data / "physlite" / "PHYSLITE_example.root"), mode=request.param)


def _events(url: str, **options) -> ak.Array:
    metadata = {"dataset": "mc", "filename": url}
    return NanoEventsFactory.from_root(
        {url: "CollectionTree"}, schemaclass=PHYSLITESchema, metadata=metadata, **options
    ).events()


def _run(url: str, analysis: Analysis, executor) -> ChunkResult:
    run = Runner(executor, schema=PHYSLITESchema, chunksize=250)
    fileset = {"mc": {"files": {url: "CollectionTree"}, "metadata": {}}}
    return run(fileset, FourLeptonProcessor(analysis))


def test_coffeas_runner_gives_the_same_bits(stand_in: str) -> None:
    analysis = Analysis(selection("fourlepton"))
    ours = process(Chunk("mc", stand_in), analysis)
    theirs = _run(stand_in, analysis, IterativeExecutor(status=False))
    assert len(theirs.records) == 2
    assert theirs.histograms == ours.histograms
    assert theirs.cutflows == ours.cutflows
    assert ours.cutflows["mc"].rows()[-1].counts["total"] > 20


@pytest.mark.slow
def test_worker_processes_give_the_same_bits(stand_in: str) -> None:
    analysis = Analysis(selection("fourlepton"))
    ours = process(Chunk("mc", stand_in), analysis)
    theirs = _run(stand_in, analysis, FuturesExecutor(workers=2, status=False))
    assert theirs.histograms == ours.histograms


@pytest.mark.parametrize("name", CONFIGS)
def test_every_selection_gives_the_same_bits(nano: ak.Array, stand_in: str, name: str) -> None:
    analysis = Analysis(selection(name), corrections=make_corrections(is_synthetic=True))
    ours = process(Chunk("mc", stand_in), analysis)
    theirs = FourLeptonProcessor(analysis).process(nano)
    assert theirs.histograms == ours.histograms
    assert theirs.cutflows == ours.cutflows


@pytest.mark.parametrize("name", CONFIGS)
def test_the_real_sample_gives_the_same_bits(real_nano: ak.Array, name: str) -> None:
    analysis = Analysis(selection(name))
    url = real_nano.metadata["filename"]
    ours = process(Chunk("mc", url), analysis)
    theirs = FourLeptonProcessor(analysis).process(real_nano)
    assert theirs.histograms == ours.histograms
    assert theirs.cutflows == ours.cutflows
    assert next(iter(theirs.records.values())).left_out == ours.records[url].left_out


def test_columns_of_the_real_sample_agree_element_by_element(real_nano: ak.Array) -> None:
    everything = Cascade(electron=(), muon=(), minimum=((0, 0),))
    with open_events(real_nano.metadata["filename"], reader="uproot") as file:
        columns = tuple(name for name in COLUMNS if name in file.columns())
        ours = file.read(columns)
    theirs = NanoFile(real_nano).survivors(everything, columns)
    assert len(columns) > 40
    assert theirs.entry.tolist() == ours.entry.tolist()
    for name in columns:
        collection, _, field = name.partition(".")
        if collection == "event":
            assert theirs.event[field].tolist() == ours.event[field].tolist(), name
        else:
            left, right = (getattr(e, f"{collection}s")[field] for e in (theirs, ours))
            # As text, so that NaN equals NaN.
            assert str(ak.to_list(left)) == str(ak.to_list(right)), name


@pytest.mark.parametrize(("byte", "n_vetoed"), [(2, 0), (10, 1), (9, 2), (8, 1)])
def test_muons_of_the_real_sample_veto_as_the_notebooks_expressions_say(
    real_nano: ak.Array, byte: int, n_vetoed: int
) -> None:
    chosen = Scipy2024(Scipy2024Config(muon_pt_min=1.0, muon_quality=byte))
    events = _read(real_nano, chosen)
    good = [*pair(Electron, 40.0), *pair(Electron, 21.0, 1.0)]
    with_electrons = replace(events, electrons=events_of(*[good] * len(events)).electrons)
    left = chosen.select(with_electrons).passed[:, -1].sum(axis=1).tolist()

    muons = real_nano.Muons
    vetoing = muons[(muons.pt > 1e3) & (abs(muons.eta) < 2.7) & (muons.quality == byte)]
    expected = int(ak.sum(ak.num(vetoing) == 0))
    assert expected == 100 - n_vetoed
    assert left == [100, 100, 100, expected, expected]


def test_scipy2024_keeps_what_the_notebooks_expressions_keep(nano: ak.Array) -> None:
    chosen = Scipy2024()
    kept = chosen.select(_read(nano, chosen)).passed[-1, -1].tolist()

    electrons, muons = nano.Electrons, nano.Muons
    electrons = electrons[
        (electrons.pt > 20e3) & (abs(electrons.eta) < 2.47)
        & (electrons.DFCommonElectronsLHLoose == 1)
    ]  # fmt: skip
    muons = muons[(muons.pt > 20e3) & (abs(muons.eta) < 2.7) & (muons.quality == 2)]
    four, none = ak.num(electrons) == 4, ak.num(muons) == 0
    assert kept == (four & none & (ak.sum(electrons.charge, axis=1) == 0)).tolist()
    assert sum(kept) >= 1


def _read(nano: ak.Array, chosen: Scipy2024) -> Events:
    everything = Cascade(electron=(), muon=(), minimum=((0, 0),))
    return NanoFile(nano).survivors(everything, chosen.required, optional=chosen.optional)


def test_each_event_counts_as_one_where_the_metadata_count_events(
    nano: ak.Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(nano.metadata, "nevts", 400)
    result = FourLeptonProcessor(Analysis(selection("fourlepton"))).process(nano)
    last = result.cutflows["mc"].rows()[-1]
    assert last.weighted["total"] == last.counts["total"] > 20


def test_events_of_another_schema_are_refused(stand_in: str) -> None:
    events = NanoEventsFactory.from_root(
        {stand_in: "CollectionTree"}, schemaclass=BaseSchema
    ).events()
    with pytest.raises(CorruptFileError, match="no PHYSLITE events"):
        NanoFile(events)


def test_a_column_that_is_not_there_is_an_error(nano: ak.Array) -> None:
    with pytest.raises(MissingColumnError, match=r"event\.scale_factor"):
        NanoFile(nano).survivors(selection("fourlepton").cascade, ("event.scale_factor",))


def test_the_sum_stays_as_it_is() -> None:
    result = ChunkResult()
    assert FourLeptonProcessor(Analysis(selection("fourlepton"))).postprocess(result) is result
