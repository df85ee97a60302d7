"""A stand-in for the controller: opens an output, arms by a keeper, raises the line."""

import os
import sys
import time

from drivers.keeper.process import KeptStimulator
from drivers.keeper.spec import KeeperSpec
from drivers.serial_byte import SerialByteTrigger
from drivers.stimulator import StimulatorRefused

_ARM_WITHIN_S = 15.0


def main() -> None:
    driver, device_port, output_port = sys.argv[1:]
    output = SerialByteTrigger(output_port)
    output.open()
    edges = output.edges(1)
    settings = {"min_interval_s": 1.0} if driver == "duomag" else {}
    spec = KeeperSpec(driver=driver, port=device_port, settings=settings)
    kept = KeptStimulator(spec, edges, lambda question: True)
    kept.open()
    kept.set_intensity(40.0)
    t_end = time.monotonic() + _ARM_WITHIN_S
    while True:
        try:
            kept.arm()
            break
        except StimulatorRefused:
            if time.monotonic() > t_end:
                raise
            time.sleep(0.1)
    while kept.status is None or not kept.status.armed:
        time.sleep(0.02)
    os.write(edges.rise.descriptor, edges.rise.payload)
    sys.stdout.write(f"armed {kept.pid}\n")
    sys.stdout.flush()
    while True:
        time.sleep(0.2)
        kept.beat()


if __name__ == "__main__":
    main()
