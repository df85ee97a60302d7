"""What stands against a pulse of a Magstim, in words."""

from drivers.magstim.limits import MAX_COIL_C
from drivers.magstim.status import InstrumentStatus


def obstacle(status: InstrumentStatus, temperature_c: float) -> str | None:
    """Return why the device must not be armed, None if nothing is known.

    Parameters
    ----------
    status : InstrumentStatus
    temperature_c : float
        Of the hotter sensor; an unknown one, NaN, stands against a pulse too.
    """
    if not status.coil_present:
        return "no coil is connected"
    if status.replace_coil:
        return "it asks for another coil"
    if status.error_present:
        return "it reports an error on its display"
    if not temperature_c <= MAX_COIL_C:
        return (
            f"the coil has {temperature_c:.1f} °C, and must be at or below "
            f"{MAX_COIL_C:g} °C"
        )
    return None
