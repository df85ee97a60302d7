"""What each kind of event is in the words of HED, the hierarchical event descriptors.

The mapping is fixed, so that data sets of different studies can be searched alike.
"""

from controller.export import happenings

HED_VERSION = "8.3.0"

TAGS = {
    happenings.PULSE: "Experiment-control, Experimental-stimulus, Label/Pulse",
    happenings.UNCERTAIN: "Experiment-control, Label/Pulse-uncertain",
    happenings.REFUSED: "Experiment-control, Label/Trigger-refused",
    happenings.MARKER: "Experiment-control, Label/Marker",
    happenings.STAGE: "Experiment-structure, Label/Stage",
    happenings.FAULT: "Experiment-control, Label/Fault",
    happenings.GAP: "Data-feature, Data-artifact, Label/Gap",
    happenings.NOT_NUMBER: "Data-feature, Data-artifact, Label/Not-finite",
    happenings.PADDING: "Data-feature, Data-artifact, Label/Padding",
}
