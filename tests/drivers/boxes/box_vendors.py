"""Stand-ins for the vendors' modules, for tests without their packages."""

import types


class LJMError(Exception):
    """As `labjack.ljm.LJMError`."""


class FakeLjm(types.ModuleType):
    """The part of `labjack.ljm` that drivers call, with one T7."""

    LJMError = LJMError

    def __init__(self) -> None:
        super().__init__("labjack.ljm")
        self.calls: list[tuple[object, ...]] = []
        self.registers: dict[str, float] = {"FIO4": 1, "SERIAL_NUMBER": 470012345}
        self.identifiers = {"ANY", "470012345"}
        self.gone = False
        self.analog: set[str] = set()
        self.opened = 0

    def openS(self, device, connection, identifier):
        self.calls.append(("openS", device, connection, identifier))
        if identifier not in self.identifiers or device not in ("ANY", "T7"):
            raise LJMError("LJM library error code 1227 LJME_DEVICE_NOT_FOUND")
        self.opened += 1
        return 1

    def eWriteName(self, handle, name, value):
        self._reach(handle)
        if name in self.analog:
            raise LJMError("LJM library error code 2501 STREAM_NOT_DIGITAL")
        self.calls.append(("eWriteName", name, value))
        self.registers[name] = value

    def eReadName(self, handle, name):
        self._reach(handle)
        return self.registers[name]

    def close(self, handle):
        self._reach(handle)
        self.opened -= 1

    def _reach(self, handle):
        assert handle == 1
        if self.gone:
            raise LJMError("LJM library error code 1239 LJME_RECONNECT_FAILED")


class NiError(Exception):
    """As `nidaqmx.errors.Error`."""


class FakeTask:
    """A task with at most one channel."""

    def __init__(self, vendor):
        self._vendor = vendor
        self.do_channels = self
        self.co_channels = self
        self.level = None
        self.counter = None
        self.running = False
        self.closed = False
        vendor.tasks.append(self)

    def add_do_chan(self, lines):
        self._reach(lines)
        self.level = True

    def add_co_pulse_chan_time(self, counter, *, low_time, high_time):
        self._reach(counter)
        self.counter = (counter, low_time, high_time)

    def write(self, data):
        self._reach()
        assert type(data) is bool
        self.level = data
        self._vendor.calls.append(("write", data))

    def start(self):
        self._reach()
        assert not self.running, "a running task cannot be started"
        self.running = True
        self._vendor.calls.append(("start",))

    def stop(self):
        self._reach()
        self.running = False
        self._vendor.calls.append(("stop",))

    def is_task_done(self):
        self._reach()
        return True

    def close(self):
        self.closed = True

    def _reach(self, channel=""):
        if self._vendor.gone or channel.startswith("Dev9"):
            raise NiError("Status Code: -200220 Device identifier is invalid.")


class FakeNidaqmx(types.ModuleType):
    """The part of `nidaqmx` that drivers call."""

    def __init__(self) -> None:
        super().__init__("nidaqmx")
        self.errors = types.SimpleNamespace(Error=NiError)
        self.calls: list[tuple[object, ...]] = []
        self.tasks: list[FakeTask] = []
        self.gone = False
        self.no_driver = False

    def Task(self):
        if self.no_driver:
            raise NiError("Could not find an installation of NI-DAQmx.")
        return FakeTask(self)
