"""``fourlep cluster``: the facility on Kubernetes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from fourlep import __version__

if TYPE_CHECKING:
    from fourlep.facility.cluster.kubectl import Kubectl, Object
    from fourlep.facility.cluster.manifests import Choices
    from fourlep.facility.doctor.finding import Finding


@click.group()
def cluster() -> None:
    """Deploy the facility to Kubernetes, look at it, end it."""


def _choices(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that every command has."""
    for option in (
        click.option("--overlay", default="local", show_default=True, help="Name, or a folder."),
        click.option(
            "--namespace", default="fourlep", show_default=True, help="Where the facility lives."
        ),
        click.option("--registry", default="", help="In front of fourlep/NAME; none by default."),
        click.option("--tag", default=__version__, show_default=True, help="Of our images."),
        click.option("--storage-class", default="", help="For every volume."),
    ):
        command = option(command)
    return command


_LOADED = click.option(
    "--loaded", is_flag=True, help="The images are on the nodes already: ask no registry."
)


def _prepare(values: dict[str, Any]) -> tuple[Kubectl, Choices]:
    from fourlep.facility.cluster.kubectl import Kubectl
    from fourlep.facility.cluster.manifests import Choices, find_overlay
    from fourlep.facility.embedded.layout import repository

    overlay = find_overlay(values.pop("overlay"), repository())
    return Kubectl(values["namespace"]), Choices(overlay=overlay, **values)


def _say(line: str) -> None:
    click.echo(line, err=True)


@cluster.command(short_help="Check the cluster, apply, wait, run the smoke test.")
@_choices
@_LOADED
@click.option("--smoke/--no-smoke", default=True, show_default=True, help="End with its test.")
def deploy(*, smoke: bool, loaded: bool, **values: Any) -> None:
    """Check the cluster, apply, wait for every part, run the smoke test."""
    from fourlep.facility.cluster.checks import check
    from fourlep.facility.cluster.credentials import make_secrets
    from fourlep.facility.cluster.manifests import earlier_images, of_kind, render
    from fourlep.facility.cluster.steps import apply, not_for_the_caller, prune, wait

    kubectl, choices = _prepare(values)
    objects = render(kubectl, choices)
    _refuse_problems(check(kubectl, objects, ask_registries=not loaded))
    objects = render(kubectl, choices, earlier_images(kubectl, objects))
    namespace = of_kind(objects, "Namespace")
    if not not_for_the_caller(kubectl, namespace):
        kubectl.apply(namespace)
    made = make_secrets(kubectl)
    _say(f"secrets made: {', '.join(made)}" if made else "all secrets are there")
    apply(kubectl, objects, _say)
    wait(kubectl, objects, _say)
    prune(kubectl, objects, _say)
    if smoke:
        _smoke(kubectl, choices)
    click.echo(f"Open it: kubectl -n {kubectl.namespace} port-forward service/proxy-public 8000:80")
    click.echo("The password: fourlep cluster password")


@cluster.command(short_help="Look at the cluster and change nothing.")
@_choices
@_LOADED
def check(*, loaded: bool, **values: Any) -> None:
    """Look at the cluster and change nothing; exit status 1 where a deploy would fail."""
    from fourlep.facility.cluster import checks
    from fourlep.facility.cluster.manifests import render

    kubectl, choices = _prepare(values)
    found = checks.check(kubectl, render(kubectl, choices), ask_registries=not loaded)
    _refuse_problems(found)


@cluster.command()
@_choices
def render(**values: Any) -> None:
    """Print the manifests that a deploy would apply."""
    import yaml

    from fourlep.facility.cluster import manifests

    click.echo(yaml.safe_dump_all(manifests.render(*_prepare(values)), sort_keys=False))


@cluster.command()
@_choices
def diff(**values: Any) -> None:
    """Show what a deploy would change."""
    import subprocess

    import yaml

    from fourlep.facility.cluster import manifests, steps

    kubectl, choices = _prepare(values)
    objects = manifests.render(kubectl, choices)
    objects = manifests.render(kubectl, choices, manifests.earlier_images(kubectl, objects))
    left = steps.not_for_the_caller(kubectl, objects)
    mine = [each for each in objects if manifests.resource(each) not in left]
    text = yaml.safe_dump_all(mine)
    command = ["kubectl", "diff", "--server-side", "--force-conflicts", "--field-manager=fourlep"]
    done = subprocess.run([*command, "--filename=-"], input=text, text=True, check=False)
    if done.returncode > 1:
        raise click.ClickException("kubectl diff failed; its last lines say why")


@cluster.command(short_help="Do what an analyst does first, in a Job.")
@_choices
def smoke(**values: Any) -> None:
    """Do what an analyst does first, in a Job; the exit status says it all."""
    _smoke(*_prepare(values))


@cluster.command()
@_choices
@click.option("--rotate", default="", metavar="KEY,...", help="Make these anew.")
def secrets(*, rotate: str, **values: Any) -> None:
    """Make the secrets that are missing; keep those that are there."""
    from fourlep.facility.cluster.credentials import make_secrets

    kubectl, _ = _prepare(values)
    made = make_secrets(kubectl, [key.strip() for key in rotate.split(",") if key.strip()])
    _say(f"made: {', '.join(made)}" if made else "all secrets are there")


@cluster.command()
@_choices
def password(**values: Any) -> None:
    """Print the password of a facility without single sign-on."""
    from fourlep.facility.cluster.credentials import read_secret

    kubectl, _ = _prepare(values)
    click.echo(read_secret(kubectl, "password"))


@cluster.command(short_help="Remove the facility.")
@_choices
@click.option(
    "--purge", default="no", metavar="yes", help="yes: users' volumes and the database too."
)
def undeploy(*, purge: str, **values: Any) -> None:
    """Remove the facility; users' volumes are kept unless --purge=yes."""
    from fourlep.facility.cluster import manifests, steps

    kubectl, choices = _prepare(values)
    objects = manifests.render(kubectl, choices)
    steps.undeploy(kubectl, objects, purge=purge == "yes", say=_say)


def _smoke(kubectl: Kubectl, choices: Choices) -> None:
    from fourlep.facility.cluster import manifests, steps
    from fourlep.facility.embedded.layout import repository

    folder = repository() / "k8s" / "smoke"
    job: list[Object] = manifests.render_job(kubectl, choices, folder)
    steps.smoke(kubectl, job, _say)


def _refuse_problems(findings: Iterable[Finding]) -> None:
    from fourlep.errors import ClusterError

    problems = []
    for finding in findings:
        remedy = f"\n           -> {finding.remedy}" if finding.remedy else ""
        _say(f"{finding.state:<8} {finding.subject}: {finding.detail}{remedy}")
        if finding.state == "problem":
            problems.append(finding.subject)
    if problems:
        raise ClusterError(
            f"not deployed: {', '.join(problems)}", remedy="nothing was changed; see above"
        )
