"""Errors a user meets: one sentence each, and an exit code per kind of trouble.

Every message says what is wrong, where, and what to do about it. Anything that is not
one of these reaches the user as a defect of ours, with a stack trace.
"""

from typing import ClassVar


class PhasegateError(Exception):
    """Base of all errors that the command line prints as one sentence."""

    exit_code: ClassVar[int] = 1


class ConfigError(PhasegateError):
    """A configuration that cannot be used as it is written."""

    exit_code = 3


class StreamNotFound(PhasegateError):
    """No stream on the network matches the description."""

    exit_code = 4


class StreamAmbiguous(PhasegateError):
    """More than one stream matches the description."""

    exit_code = 5


class ChannelError(PhasegateError):
    """A channel label is missing, doubled, or carries an unknown unit."""

    exit_code = 6


class StreamFormatError(PhasegateError):
    """A stream whose sample format or rate the loop cannot work with."""

    exit_code = 7


class StreamLost(PhasegateError):
    """The stream ended or fell silent while it was needed."""

    exit_code = 8


class SignalFault(PhasegateError):
    """Samples or time stamps arrived that cannot be trusted."""

    exit_code = 9


class OutputNotFound(PhasegateError):
    """The trigger output's port does not exist or may not be opened."""

    exit_code = 10


class OutputBusy(PhasegateError):
    """Another program holds the trigger output's port."""

    exit_code = 11


class OutputLost(PhasegateError):
    """The trigger output failed while it was in use."""

    exit_code = 12


class RecordingError(PhasegateError):
    """The session cannot be written to disk."""

    exit_code = 13


class RhythmTooWeak(PhasegateError):
    """The rest recording shows no usable rhythm in the band."""

    exit_code = 14


class NotArmed(PhasegateError):
    """Nobody armed the interlock."""

    exit_code = 15


class EngineFault(PhasegateError):
    """The loop stopped itself for a reason of its own."""

    exit_code = 16


class FileError(PhasegateError):
    """A recording or session folder that cannot be read."""

    exit_code = 17


class MissingExtra(PhasegateError):
    """A feature whose optional packages are not installed."""

    exit_code = 18


class ReplayDiffers(PhasegateError):
    """A recorded session decided differently when it was run again."""

    exit_code = 19


class RecordsChanged(PhasegateError):
    """A session's file that is not what it was when the session ended."""

    exit_code = 21


class NoThreshold(PhasegateError):
    """The hunt for a motor threshold ended without one."""

    exit_code = 22


class SealError(PhasegateError):
    """An allocation that does not match its commitment, or may not be opened."""

    exit_code = 23


class DoseExceeded(PhasegateError):
    """What a session may give would pass what its participant may be given."""

    exit_code = 26


class StimulatorFault(PhasegateError):
    """The stimulator cannot be set or armed, or is not fit to fire any more."""

    exit_code = 24


class ConfigChanged(PhasegateError):
    """The configuration file was changed while its session ran."""

    exit_code = 27


class ConsoleLost(PhasegateError):
    """The operator's console fell silent while the session was armed."""

    exit_code = 28


EXIT_INTERRUPTED = 130
"""Exit code after Ctrl-C, once the records are complete."""


def not_text(path: object, error: OSError | UnicodeDecodeError) -> ConfigError:
    """Return the sentence for a file of settings that cannot be read as text."""
    if isinstance(error, UnicodeDecodeError):
        why = f"byte {error.start + 1} is no UTF-8; is it the right file"
        return ConfigError(f"{path} cannot be read as text: {why}?")
    if isinstance(error, IsADirectoryError):
        return ConfigError(f"{path} is a folder; name a file in it.")
    reason = error.strerror or str(error)
    return ConfigError(f"{path} cannot be read as text: {reason}.")
