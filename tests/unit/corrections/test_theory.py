"""Theory variations from generator weights, by hand; and the tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import uproot

from fourlep.corrections.config import make_corrections
from fourlep.corrections.theory import TheoryTool, WeightFamily, read_families
from fourlep.errors import ConfigError, DatasetError
from unit.corrections.leptons import events

FAMILY = WeightFamily(
    label="X",
    dsids=(345060,),
    n_weights=5,
    pairs=(("MUR", 1, 2),),
    pdf_members=(3, 4),
)

# Nominal, mu_R up and down, two members of parton densities.
WEIGHTS = [[2.0, 2.2, 1.8, 2.06, 2.08], [-1.0, -1.3, -0.9, -1.0, -1.1], [0.0, 5.0, 1.0, 1.0, 1.0]]


def weigh(sys: str, **event: object) -> list[float]:
    some = events([[], [], []], generator_weights=WEIGHTS, **event)
    return TheoryTool((FAMILY,))(some, sys).tolist()


def test_ratio_to_the_nominal_weight_keeps_the_sign_out() -> None:
    assert weigh("THEORY_X_MUR__1up") == pytest.approx([1.1, 1.3, 1.0])
    assert weigh("THEORY_X_MUR__1down") == pytest.approx([0.9, 0.9, 1.0])


def test_members_of_parton_densities_add_in_quadrature() -> None:
    # Relative differences 0.03 and 0.04; then 0 and 0.1; a zero nominal weight stays zero.
    assert weigh("THEORY_X_PDF__1up") == pytest.approx([1.05, 1.1, 1.0])
    assert weigh("THEORY_X_PDF__1down") == pytest.approx([0.95, 0.9, 1.0])


def test_a_family_without_parton_densities_offers_none() -> None:
    names = ("THEORY_X_MUR__1up", "THEORY_X_MUR__1down")
    assert TheoryTool((replace(FAMILY, pdf_members=()),)).systematics == names
    assert TheoryTool((FAMILY,)).systematics[:2] == names
    assert len(TheoryTool((FAMILY,)).systematics) == 4


def test_nominal_is_one() -> None:
    assert weigh("nominal") == [1.0, 1.0, 1.0]


def test_other_datasets_do_not_vary() -> None:
    assert weigh("THEORY_X_MUR__1up", dsid=[345060, 1, 1]) == pytest.approx([1.1, 1.0, 1.0])


def test_events_without_generator_weights_do_not_vary() -> None:
    assert TheoryTool((FAMILY,))(events([[]]), "THEORY_X_MUR__1up").tolist() == [1.0]


def test_number_of_weights_must_be_that_of_the_table() -> None:
    some = events([[]], generator_weights=[[1.0, 1.0]])
    with pytest.raises(DatasetError, match="have 2 generator weights where the table of X says 5"):
        TheoryTool((FAMILY,))(some, "THEORY_X_MUR__1up")


def test_weight_that_is_no_number_is_refused() -> None:
    some = events([[]], generator_weights=[[1.0, np.nan, 1.0, 1.0, 1.0]])
    with pytest.raises(DatasetError, match="is no number"):
        TheoryTool((FAMILY,))(some, "THEORY_X_MUR__1up")


def test_unknown_variation_is_refused() -> None:
    with pytest.raises(ConfigError, match="no systematic variation 'THEORY_X_ISR__1up'"):
        weigh("THEORY_X_ISR__1up")


TABLE = """
[[family]]
label = "X"
dsids = [1, 2]
n_weights = 20
source = "by hand"
pairs = { MUR = [1, 2] }
pdf_members = [10, 18, 2]
"""


def test_table_writes_a_range_as_first_last_and_step(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text(TABLE)
    (family,) = read_families(path)
    assert family.pdf_members == (10, 12, 14, 16, 18)
    assert family.systematics == (
        *("THEORY_X_MUR__1up", "THEORY_X_MUR__1down"),
        *("THEORY_X_PDF__1up", "THEORY_X_PDF__1down"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("= no toml", "cannot be read"),
        ("x = " + 5000 * "[", "cannot be read"),
        ("x = 1", "has the keys x"),
        ("", "has the keys none"),
        (TABLE + "colour = 1", "unknown colour"),
        (TABLE.replace('label = "X"', ""), "lacks or misstates 'label'"),
        (TABLE.replace("[1, 2] }", "[1] }"), "lacks or misstates"),
        (TABLE.replace("[1, 2] }", "[1, 20] }"), "an index outside its 20 weights"),
        (TABLE + TABLE, "a dataset in two families"),
    ],
)
def test_wrong_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_families(path)


def test_release_table_fits_the_real_sample(shared_data: Path) -> None:
    """The order in the table is that of a real Sherpa file, as far as values can tell."""
    with uproot.open(shared_data / "physlite" / "PHYSLITE_example.root") as file:
        branch = file["CollectionTree/EventInfoAuxDyn.mcEventWeights"]
        weights = np.stack([np.asarray(event) for event in branch.array(library="np")])
    tool = make_corrections().theory
    assert tool is not None
    (family,) = tool.families
    assert weights.shape[1] == family.n_weights
    mean = {sys: family.factor(weights, sys).mean() for sys in family.systematics}
    # A higher scale or a smaller coupling lowers the cross-section, the opposite raises it.
    for name in ("MUR", "MUF"):
        assert mean[f"THEORY_ZJETS_{name}__1up"] < 1.0 < mean[f"THEORY_ZJETS_{name}__1down"]
    assert mean["THEORY_ZJETS_ALPHAS__1down"] < 1.0 < mean["THEORY_ZJETS_ALPHAS__1up"]
    assert 0.005 < mean["THEORY_ZJETS_PDF__1up"] - 1.0 < 0.15
    # The central variation (mu_R = mu_F = 1) stands between the scales.
    assert np.allclose(weights[:, 12], weights[:, 0])


def test_synthetic_table_fits_the_stand_in() -> None:
    from fourlep.synth.parameters import parameters
    from fourlep.synth.weights import variations

    number = parameters().event.generator_weights
    rng = np.random.default_rng(3)
    nominal = np.array([1.0, -1.0, 28.3])
    some = events(
        [[], [], []],
        dsid=[345060, 700600, 345060],
        generator_weights=variations(rng, nominal, number),
    )
    tool = make_corrections(is_synthetic=True).theory
    assert tool is not None
    for sys in tool.systematics:
        factors = tool(some, sys)
        assert np.all((factors > 0.5) & (factors < 1.5))
        assert ("HIGGS" in sys) == bool(factors[0] != 1.0)
