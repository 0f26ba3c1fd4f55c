"""The workspace that cabinetry builds from our configuration."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from fourlep.errors import FitError
from fourlep.stats.config import FitConfig, Normalisation, Strength, fourlepton_config
from fourlep.stats.likelihood import likelihood
from fourlep.stats.preparation import Preparation, prepare
from fourlep.stats.run_directory import Run, open_histograms, read_run
from fourlep.stats.workspace import build_workspace, read_workspace
from unit.stats.conftest import Contents, MakeRun


def _built(
    make_run: MakeRun, config: FitConfig | None = None, *, with_data: bool = True, **options
) -> tuple[Run, Preparation, dict]:
    config = config or fourlepton_config()
    run = read_run(make_run(**options))
    with open_histograms(run) as histograms:
        preparation = prepare(run, histograms, config, with_data=with_data)
    return run, preparation, build_workspace(run, config, preparation)


def _sample(workspace: dict, channel: str, name: str) -> dict:
    samples = next(c for c in workspace["channels"] if c["name"] == channel)["samples"]
    return next(sample for sample in samples if sample["name"] == name)


def test_channels_and_observations_are_those_of_the_configuration(make_run: MakeRun) -> None:
    _, preparation, workspace = _built(make_run)
    names = [channel["name"] for channel in workspace["channels"]]
    assert names == ["4mu", "4e", "2e2mu", "zz_control"]
    for region, observation in zip(preparation.regions, workspace["observations"], strict=True):
        assert observation["data"] == region.data.tolist()


def test_strength_scales_every_signal_and_nothing_else(make_run: MakeRun) -> None:
    _, _, workspace = _built(make_run)
    scaled = {
        (channel["name"], sample["name"])
        for channel in workspace["channels"]
        for sample in channel["samples"]
        if any(modifier["name"] == "mu" for modifier in sample["modifiers"])
    }
    assert {sample for _, sample in scaled} == {"ggF", "VBF"}


def test_variation_has_a_rate_and_a_shape_under_one_name(make_run: MakeRun) -> None:
    _, _, workspace = _built(make_run)
    modifiers = _sample(workspace, "2e2mu", "ZZ")["modifiers"]
    kinds = sorted(item["type"] for item in modifiers if item["name"] == "EG_SCALE_ALL")
    assert kinds == ["histosys", "normsys"]
    shape = next(item for item in modifiers if item["type"] == "histosys")["data"]
    nominal = sum(_sample(workspace, "2e2mu", "ZZ")["data"])
    assert sum(shape["hi_data"]) == pytest.approx(nominal)


def _sides(workspace: dict, name: str) -> dict[str, dict]:
    """Rate (normsys) and shape (histosys) of a variation of ZZ in 2e2mu."""
    modifiers = _sample(workspace, "2e2mu", "ZZ")["modifiers"]
    return {item["type"]: item["data"] for item in modifiers if item["name"] == name}


def _tilted_downwards(contents: Contents) -> None:
    """Give one side of a variation a shape that does not mirror the other."""
    name = "2e2mu/all/m4l/ZZ_EG_SCALE_ALL__1down"
    values, variances = contents[name]
    contents[name] = values * np.linspace(0.8, 1.2, len(values)), variances


def test_each_side_of_a_shape_is_its_own_template(make_run: MakeRun) -> None:
    _, preparation, workspace = _built(make_run, change=_tilted_downwards)
    region = next(r for r in preparation.regions if r.region.name == "2e2mu")
    sample = next(s for s in region.samples if s.process == "ZZ")
    effect = next(e for e in sample.effects if e.variation == "EG_SCALE_ALL")
    shape = _sides(workspace, "EG_SCALE_ALL")["histosys"]
    for side, template in (("hi_data", effect.up), ("lo_data", effect.down)):
        of_nominal_rate = template.values * sample.nominal.total / template.total
        assert shape[side] == pytest.approx(of_nominal_rate.tolist())


def test_a_one_sided_shape_is_mirrored(make_run: MakeRun) -> None:
    _, _, workspace = _built(make_run, variations=("EG_SCALE_ALL__1up",))
    sides = _sides(workspace, "EG_SCALE_ALL")
    nominal = np.array(_sample(workspace, "2e2mu", "ZZ")["data"])
    both = np.array(sides["histosys"]["hi_data"]) + np.array(sides["histosys"]["lo_data"])
    assert both == pytest.approx(2 * nominal)
    assert sides["normsys"]["hi"] + sides["normsys"]["lo"] == pytest.approx(2.0)


def test_rate_alone_is_a_rate_with_both_sides(make_run: MakeRun) -> None:
    _, _, workspace = _built(make_run)
    muon = [m for m in _sample(workspace, "4mu", "ZZ")["modifiers"] if m["name"] == "MUON_EFF"]
    assert [item["type"] for item in muon] == ["normsys"]
    assert muon[0]["data"]["hi"] == pytest.approx(1.03)
    assert muon[0]["data"]["lo"] == pytest.approx(0.97)


def test_one_sided_variation_is_mirrored(make_run: MakeRun) -> None:
    _, _, workspace = _built(make_run, variations=("MUON_EFF__1up",))
    modifiers = _sample(workspace, "4mu", "ZZ")["modifiers"]
    rate = next(item for item in modifiers if item["name"] == "MUON_EFF")["data"]
    assert (rate["hi"], rate["lo"]) == (pytest.approx(1.03), pytest.approx(0.97))


def test_variation_with_a_dot_in_its_name_keeps_it(make_run: MakeRun) -> None:
    names = ("scale_0.5__1up", "scale_0.5__1down", "scale_0.7__1up", "scale_0.7__1down")
    _, _, workspace = _built(make_run, variations=names)
    found = {item["name"] for item in _sample(workspace, "4mu", "ZZ")["modifiers"]}
    assert {"scale_0.5", "scale_0.7"} <= found


@pytest.mark.parametrize("names", [("pp.H", "pp.ZZ"), ("a/b.c", "a/b.d"), ("H 4l", "H-4l")])
def test_processes_with_dots_slashes_and_spaces_keep_their_own_templates(
    make_run: MakeRun, names: tuple[str, str]
) -> None:
    _, _, plain = _built(make_run)
    other = dict(zip(("ggF", "ZZ"), names, strict=True))
    config = fourlepton_config()
    config = replace(
        config,
        regions=(replace(config.regions[0], name="sr.4mu"), *config.regions[1:]),
        normalisations=tuple(
            replace(item, processes=tuple(other.get(name, name) for name in item.processes))
            for item in config.normalisations
        ),
    )
    processes = {"data": {"role": "data"}, "VBF": {"role": "signal"}}
    processes |= {names[0]: {"role": "signal"}, names[1]: {"role": "background"}}

    def rename(contents: Contents) -> None:
        for key in list(contents):
            folder, _, name = key.rpartition("/")
            process, mark, variation = name.partition("_")
            if process in other:
                contents[f"{folder}/{other[process]}{mark}{variation}"] = contents.pop(key)

    _, _, workspace = _built(make_run, config, name="other", change=rename, processes=processes)
    for channel, named in (("4mu", "sr.4mu"), ("4e", "4e")):
        for process, its_name in other.items():
            found, expected = _sample(workspace, named, its_name), _sample(plain, channel, process)
            assert found["data"] == expected["data"]
            shapes = [m["data"] for m in found["modifiers"] if m["type"] == "histosys"]
            assert shapes == [m["data"] for m in expected["modifiers"] if m["type"] == "histosys"]
    assert {"name": "staterror_sr.4mu", "type": "staterror"}.items() <= (
        _sample(workspace, "sr.4mu", names[1])["modifiers"][0].items()
    )


def test_finite_simulation_is_an_uncertainty_unless_told_otherwise(make_run: MakeRun) -> None:
    def kinds(config: FitConfig, name: str) -> set[str]:
        _, _, workspace = _built(lambda **k: make_run(name, **k), config)
        return {m["type"] for m in _sample(workspace, "4e", "ZZ")["modifiers"]}

    config = fourlepton_config()
    assert "staterror" in kinds(config, "with")
    assert "staterror" not in kinds(replace(config, mc_statistics=False), "without")


def test_free_and_constrained_normalisations_become_what_they_are(make_run: MakeRun) -> None:
    config = replace(
        fourlepton_config(),
        normalisations=(Normalisation("norm_ZZ", ("ZZ",)), Normalisation("xsec", ("Zjets",), 0.3)),
    )
    _, _, workspace = _built(make_run, config)
    model, _ = likelihood(workspace)
    assert model.widths[model.index("norm_ZZ")] == 0.0
    assert model.widths[model.index("xsec")] == 1.0
    rate = next(m for m in _sample(workspace, "4e", "Zjets")["modifiers"] if m["name"] == "xsec")
    assert rate["data"] == {"hi": 1.3, "lo": 0.7}


THEORY = ("THEORY_HIGGS_MUR__1up", "THEORY_HIGGS_MUR__1down")


def _of_ggf_alone(contents: Contents) -> None:
    """Let the theory variation change nothing but ggF."""
    for name in [name for name in contents if "THEORY" in name and "/ggF_" not in name]:
        contents[name] = contents[name.partition("_THEORY")[0]]


def test_cross_section_is_not_granted_again_to_a_process_with_theory_variations(
    make_run: MakeRun,
) -> None:
    _, preparation, workspace = _built(make_run, variations=THEORY, change=_of_ggf_alone)
    rates = {
        process: {item["name"] for item in _sample(workspace, "4mu", process)["modifiers"]}
        for process in ("ggF", "VBF", "Zjets")
    }
    assert "THEORY_HIGGS_MUR" in rates["ggF"]
    assert "xsec_ggF" not in rates["ggF"]
    assert "xsec_VBF" in rates["VBF"]
    assert "nonprompt_Zjets" in rates["Zjets"]
    treatment = next(t for t in preparation.treatments if t.kind == "cross-section in theory")
    assert (treatment.process, treatment.variation) == ("ggF", "xsec_ggF")
    assert treatment.detail == "varied by THEORY_HIGGS_MUR"


def test_rate_that_is_no_cross_section_stays_beside_theory_variations(make_run: MakeRun) -> None:
    _, _, workspace = _built(make_run, variations=THEORY)
    names = {item["name"] for item in _sample(workspace, "4mu", "Zjets")["modifiers"]}
    assert {"THEORY_HIGGS_MUR", "nonprompt_Zjets", "luminosity"} <= names


def test_cross_section_is_granted_where_theory_variations_are_left_out(make_run: MakeRun) -> None:
    config = replace(fourlepton_config(), variations=("MUON_EFF",))
    variations = (*THEORY, "MUON_EFF__1up", "MUON_EFF__1down")
    _, _, workspace = _built(make_run, config, variations=variations)
    names = {item["name"] for item in _sample(workspace, "4mu", "ggF")["modifiers"]}
    assert "xsec_ggF" in names


def test_blinded_workspace_does_not_carry_the_data(make_run: MakeRun) -> None:
    _, preparation, workspace = _built(make_run, with_data=False)
    for region, observation in zip(preparation.regions, workspace["observations"], strict=True):
        assert observation["data"] == pytest.approx(region.expected.tolist())


def test_strength_of_a_process_that_is_not_there_is_refused(make_run: MakeRun) -> None:
    config = replace(fourlepton_config(), strengths=(Strength("mu_ttH", ("ttH",)),))
    with pytest.raises(FitError, match="mu_ttH acts on no process"):
        _built(make_run, config)


def test_nominal_expectation_of_the_model_is_that_of_the_templates(make_run: MakeRun) -> None:
    _, preparation, workspace = _built(make_run)
    model, _ = likelihood(workspace)
    rates = model.rates(model.nominal())
    for region in preparation.regions:
        found = rates[model.channel_bins(region.region.name)]
        assert found == pytest.approx(region.expected, rel=1e-9)


def test_workspace_is_read_again_for_its_own_run(make_run: MakeRun, tmp_path) -> None:
    run, _, workspace = _built(make_run)
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(workspace))
    assert read_workspace(path, run) == workspace


def test_workspace_of_another_run_is_refused(make_run: MakeRun, tmp_path) -> None:
    _, _, workspace = _built(make_run)
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(workspace))
    other = read_run(make_run("other"))
    with pytest.raises(FitError, match="belongs to another run") as caught:
        read_workspace(path, other)
    assert "leave --workspace away" in caught.value.remedy


@pytest.mark.parametrize("content", ["{", "{}", '{"measurements": []}', "[1]"])
def test_file_that_is_no_workspace_is_refused(make_run: MakeRun, tmp_path, content: str) -> None:
    path = tmp_path / "workspace.json"
    path.write_text(content)
    with pytest.raises(FitError, match="no HistFactory workspace"):
        read_workspace(path, read_run(make_run()))


def test_absent_workspace_is_refused(make_run: MakeRun, tmp_path) -> None:
    with pytest.raises(FitError, match="is absent"):
        read_workspace(tmp_path / "none.json", read_run(make_run()))


def test_yields_are_positive_numbers(make_run: MakeRun) -> None:
    _, _, workspace = _built(make_run)
    events = [s["data"] for c in workspace["channels"] for s in c["samples"]]
    assert all(np.all(np.array(values) >= 0) for values in events)
