"""How this process talks on the network: the one place that configures liblsl.

liblsl reads its settings once, at its first use, so `configure_lsl` must run before any
other LSL call of a process; a later call changes nothing and says what is in force.

Two modes. `DEFAULT` leaves discovery as every other LSL program has it, and finds
amplifiers on the network. `LOCAL` talks only over this machine's loopback interface: it
is for our own simulated sources and for tests, so that a simulated participant never
shows up in the laboratory next door. Both use the same group and port, so a `DEFAULT`
process finds a `LOCAL` outlet of its own machine and the reverse: parent and child need
not agree. A user's own liblsl configuration wins over both.
"""

import enum
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import pylsl

logger = logging.getLogger(__name__)

# liblsl logs to standard error, in the middle of our progress display. Whatever it has
# to say there, a lost stream for example, reaches the user as one of our own errors.
_QUIET = "[log]\nlevel = -3\n"

# The group is the one that liblsl asks by default in a site, so that both modes meet.
_LOOPBACK = (
    "[ports]\nIPv6 = disable\n"
    "[multicast]\n"
    "AddressesOverride = {239.255.172.215}\n"
    "TTLOverride = 0\n"
    "Interfaces = {127.0.0.1}\n"
)


class LslNetwork(enum.Enum):
    """Which settings liblsl works with in this process."""

    DEFAULT = "default"
    LOCAL = "local"
    USER = "user"


class _InForce:
    """What liblsl was told; it keeps its settings for the life of the process."""

    network: LslNetwork | None = None


def configure_lsl(*, local_only: bool = False) -> LslNetwork:
    """Quieten liblsl and choose where it looks for streams, once per process.

    Parameters
    ----------
    local_only : bool
        Talk over the loopback interface only.

    Returns
    -------
    LslNetwork
        The settings in force, which are those of the first call.
    """
    if _InForce.network is not None:
        return _InForce.network
    if user_configuration(os.environ) is not None:
        _InForce.network = LslNetwork.USER
    else:
        _InForce.network = LslNetwork.LOCAL if local_only else LslNetwork.DEFAULT
        content = _LOOPBACK + _QUIET if local_only else _QUIET
        try:
            pylsl.set_config_content(content)
        except NotImplementedError:
            # A liblsl older than 1.17.7 that the user put in place through PYLSL_LIB.
            _InForce.network = LslNetwork.DEFAULT
    logger.debug("liblsl network settings: %s", _InForce.network.value)
    return _InForce.network


def user_configuration(environment: Mapping[str, str]) -> Path | None:
    """Return the liblsl configuration file that the user has put in place, if any.

    Parameters
    ----------
    environment : mapping
        Environment variables, as in `os.environ`.
    """
    named = environment.get("LSLAPICFG")
    if named:
        return Path(named)
    for folder in (Path(), Path.home() / "lsl_api", Path("/etc/lsl_api")):
        candidate = folder / "lsl_api.cfg"
        if candidate.is_file():
            return candidate
    return None
