"""Spawn profiles: what a user's server may be, for both spawners.

On Kubernetes they become KubeSpawner's ``profile_list`` and are enforced as limits of the
pod. On one machine the processes share the machine: the profile sets what the libraries in
the server take for their share, which is advice and not a wall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fourlep.facility.gpus import GpuNodes


@dataclass(frozen=True, slots=True)
class Profile:
    """One choice of the start page.

    Parameters
    ----------
    slug, title, description
        Names for the machine and for people.
    cores
        Limit, and size of the thread pools.
    memory_gib
        Limit, GiB.
    gpus
        Kept for the server, where the facility has some.
    """

    slug: str
    title: str
    description: str
    cores: int
    memory_gib: int
    gpus: int = 0

    @property
    def thread_environment(self) -> dict[str, str]:
        """Variables that keep numerical libraries within the profile's cores."""
        pools = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        return dict.fromkeys(pools, str(self.cores))


PROFILES = (
    Profile("small", "Small", "Notebooks and figures; a cluster does the work.", 1, 4),
    Profile("medium", "Medium", "Analysis in the server itself, without a cluster.", 2, 8),
    Profile("large", "Large", "Toys, trainings and large tables.", 8, 32),
)


#: Offered on Kubernetes with GPUs, whatever the others may be.
GPU = Profile("gpu", "GPU", "Trainings on a graphics processor.", 2, 16, gpus=1)


def offered(max_cores: float) -> tuple[Profile, ...]:
    """Profiles that fit into ``max_cores``; the smallest is always offered."""
    fitting = tuple(profile for profile in PROFILES if profile.cores <= max_cores)
    return fitting or PROFILES[:1]


def kubernetes_list(
    profiles: tuple[Profile, ...], nodes: GpuNodes | None = None
) -> list[dict[str, Any]]:
    """`profiles` as KubeSpawner's ``profile_list``; the first is the default.

    Parameters
    ----------
    profiles
        Without `GPU`, which is added where there are ``nodes``.
    nodes
        With GPUs, None where the cluster has none.
    """
    chosen = (*profiles, GPU) if nodes else profiles
    return [
        {
            "slug": profile.slug,
            "display_name": profile.title,
            "description": f"{profile.description} {_size(profile)}.",
            "default": index == 0,
            "kubespawner_override": {
                "cpu_limit": profile.cores,
                "cpu_guarantee": min(profile.cores, 1) * 0.25,
                "mem_limit": f"{profile.memory_gib}G",
                "mem_guarantee": "1G",
                "environment": profile.thread_environment,
                **(_on_gpus(nodes, profile.gpus) if nodes and profile.gpus else {}),
            },
        }
        for index, profile in enumerate(chosen)
    ]


def _on_gpus(nodes: GpuNodes, count: int) -> dict[str, Any]:
    return {
        "extra_resource_limits": nodes.limits(count),
        "extra_resource_guarantees": nodes.limits(count),
        "node_selector": nodes.labels,
        "tolerations": nodes.tolerations,
    }


def html_form(profiles: tuple[Profile, ...]) -> str:
    """`profiles` as the fields of the start page's form."""
    rows = "".join(
        f"""
  <label class="list-group-item">
    <input class="form-check-input me-2" type="radio" name="profile"
           value="{profile.slug}"{" checked" if index == 0 else ""}>
    <strong>{profile.title}</strong> <small>{_size(profile)}</small>
    <div class="text-body-secondary">{profile.description}</div>
  </label>"""
        for index, profile in enumerate(profiles)
    )
    return f'<div class="list-group" id="profiles">{rows}\n</div>'


def chosen(form: dict[str, list[str]], profiles: tuple[Profile, ...]) -> dict[str, str]:
    """Turn a posted form into ``user_options``.

    Raises
    ------
    ValueError
        If the profile is none of ``profiles``.
    """
    slug = form.get("profile", [profiles[0].slug])[0]
    by_slug(slug, profiles)
    return {"profile": slug}


def by_slug(slug: str, profiles: tuple[Profile, ...]) -> Profile:
    """Find the profile called ``slug``; a ValueError names the choices."""
    for profile in profiles:
        if profile.slug == slug:
            return profile
    choices = ", ".join(profile.slug for profile in profiles)
    raise ValueError(f"there is no profile {slug!r}; choose one of {choices}")


def _size(profile: Profile) -> str:
    cores = "1 core" if profile.cores == 1 else f"{profile.cores} cores"
    gpus = f", {profile.gpus} GPU" if profile.gpus else ""
    return f"{cores}, {profile.memory_gib} GiB{gpus}"
