"""Channel labels of recordings, cleaned to 10-20 names."""

import re

# EDF writes the kind of signal before the electrode, and some files write the reference
# after it.
_KIND = re.compile(r"(EEG|EOG|ECG|EKG|EMG|RESP|MISC)[ _]+(?=\S)", re.IGNORECASE)
_REFERENCE = re.compile(r"-(REF|LE|AR|AVG|A1|A2|M1|M2|A1A2|A1\+A2)$", re.IGNORECASE)
_EARS = {"A1", "A2", "M1", "M2"}
_ELECTRODE = re.compile(
    r"(FP|AF|FT|FC|TP|CP|PO|F|C|T|P|O|I|N|A|M)(Z|10|[1-9])", re.IGNORECASE
)
_KINDS = ("EOG", "ECG", "EKG", "EMG", "RESP")


def clean_label(label: str) -> str:
    """Return an electrode's name without prefix, padding and reference.

    Examples
    --------
    >>> [clean_label(label) for label in ("EEG Fp1", "Fc5.", "EEG O1-REF", "A2-A1")]
    ['Fp1', 'FC5', 'O1', 'A2-A1']
    """
    name = _KIND.sub("", label.strip()).strip().rstrip(".").strip()
    without_reference = _REFERENCE.sub("", name)
    if without_reference.upper() not in _EARS:
        name = without_reference
    match = _ELECTRODE.fullmatch(name)
    if match is None:
        return name or label.strip()
    row = "Fp" if match[1].upper() == "FP" else match[1].upper()
    return row + match[2].lower()


def signal_type(label: str, told: str) -> str:
    """Return the type, in capitals, of a channel that its file calls `told`.

    Readers of formats without channel types call everything EEG; the label knows better
    about eye, heart and muscle channels, and about the difference of two ears.
    """
    told = told.upper()
    if told != "EEG":
        return told
    for kind in _KINDS:
        if label.strip().upper().startswith(kind):
            return "ECG" if kind == "EKG" else kind
    parts = clean_label(label).upper().split("-")
    return "REF" if set(parts) <= _EARS else "EEG"
