"""Whether what is installed is whole, and ours."""

import importlib.util
import json
import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import (
    Distribution,
    PackageNotFoundError,
    distribution,
    packages_distributions,
    version,
)
from pathlib import Path
from urllib.parse import unquote, urlparse

from controller.cli.checkup.finding import Finding, fault, note, ok

DISTRIBUTION = "phasegate"
PACKAGES = ("controller", "drivers")

_NEEDED = ("numpy", "scipy", "numba", "pylsl", "pyserial", "pydantic", "matplotlib")
_OPTIONAL = {"mne": "replay of recordings", "pyxdf": "reading XDF elsewhere"}


def examine_installation() -> Iterator[Finding]:
    """Yield findings on Python, packages and plug-ins."""
    yield ok(
        "python",
        f"{platform.python_version()} ({sys.executable}) on {platform.system()} "
        f"{platform.release()}, {platform.machine()}.",
    )
    for package in PACKAGES:
        yield ours(package, imported_from(package), our_folders())
    yield from packages()
    yield from plug_ins()


def imported_from(package: str) -> Path | None:
    """Return the folder that a package is imported from, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).resolve().parent


def our_folders(installed: Distribution | None = None) -> tuple[Path, ...]:
    """Return the folders that our distribution's packages lie in.

    Parameters
    ----------
    installed : Distribution, optional
        Ours, if None.
    """
    if installed is None:
        try:
            installed = distribution(DISTRIBUTION)
        except PackageNotFoundError:
            return ()
    folders = [Path(str(installed.locate_file("")))]
    direct = installed.read_text("direct_url.json")
    if direct is not None:
        source = json.loads(direct)
        if source.get("dir_info", {}).get("editable"):
            folders.append(Path(unquote(urlparse(source["url"]).path)))
    return tuple(folder.resolve() for folder in folders)


def ours(
    package: str,
    folder: Path | None,
    homes: tuple[Path, ...],
    owners: Mapping[str, list[str]] | None = None,
) -> Finding:
    """Return whether the package that Python imports is the one that was installed.

    Parameters
    ----------
    package : str
    folder : Path or None
        Where it is imported from.
    homes : tuple of Path
        Where our packages may lie.
    owners : mapping, optional
        Distributions by package; those installed, if None.
    """
    topic = f"package {package}"
    if not homes:
        return fault(
            topic,
            "The distribution phasegate is not installed, so nothing says whose "
            f"package {package} in {folder} is; install with `pip install -e .` or "
            "from a wheel.",
        )
    if folder is None or folder.parent not in homes:
        return fault(
            topic,
            f"Python imports {package} from {folder}, which is not part of phasegate "
            f"in {' or '.join(str(home) for home in homes)}; take the foreign folder "
            "off PYTHONPATH, or use an environment of its own.",
        )
    known = packages_distributions() if owners is None else owners
    foreign = sorted(set(known.get(package, [])) - {DISTRIBUTION})
    if foreign:
        return fault(
            topic,
            f"{', '.join(foreign)} installs a package {package} too, and one "
            "overwrites the other; use an environment of its own.",
        )
    return ok(topic, f"Ours, in {folder}.")


def packages() -> Iterator[Finding]:
    """Yield findings on what phasegate needs, and on what it can use."""
    found, missing = [], []
    for name in (DISTRIBUTION, *_NEEDED):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        yield fault(
            "versions",
            f"{', '.join(missing)} is not installed; reinstall phasegate.",
        )
    yield ok("versions", f"{', '.join(found)}.")
    for name, use in _OPTIONAL.items():
        try:
            yield ok("optional", f"{name} {version(name)}, for {use}.")
        except PackageNotFoundError:
            yield note(
                "optional",
                f"{name} is not installed, so there is no {use}; install it with "
                "`pip install 'phasegate[io]'`.",
            )


def plug_ins() -> Iterator[Finding]:
    """Yield findings on estimators and drivers, our own and those of others."""
    from controller.estimators.registry import list_designers
    from drivers.registry import find_drivers

    designers, drivers = list_designers(), find_drivers()
    yield ok("estimators", f"{', '.join(sorted(designers.designers))}.")
    yield ok("outputs", f"{', '.join(sorted(drivers.usable))}.")
    for sentence in (*designers.problems, *drivers.broken.values()):
        yield note("plug-in", sentence)
