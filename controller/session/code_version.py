"""Which code ran: a hash of every source file, and the commit where there is one."""

import functools
import hashlib
import importlib.util
import subprocess
from pathlib import Path

PACKAGES = ("controller", "drivers")


@functools.cache
def code_version() -> dict[str, str | None]:
    """Return `sha256`, over all Python files of the packages, and `commit`.

    `commit` is None outside a Git checkout, and ends in `+changes` where files differ
    from it.
    """
    digest = hashlib.sha256()
    root: Path | None = None
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            continue
        top = Path(next(iter(spec.submodule_search_locations)))
        root = top.parent
        for file in sorted(top.rglob("*.py")):
            digest.update(file.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return {
        "sha256": digest.hexdigest(),
        "commit": None if root is None else _commit(root),
    }


def _commit(root: Path) -> str | None:
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", *PACKAGES)
    return f"{commit}+changes" if commit and changes else commit


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            timeout=10.0,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
