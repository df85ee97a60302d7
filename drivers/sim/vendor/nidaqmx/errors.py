"""The errors of the stand-in for nidaqmx."""


class Error(Exception):
    """Base of all errors."""


class DaqError(Error):
    """An error with its number.

    Parameters
    ----------
    message : str
    error_code : int
    task_name : str
    """

    def __init__(self, message: str, error_code: int, task_name: str = "") -> None:
        super().__init__(f"{message}\n\nStatus Code: {error_code}")
        self.error_code = error_code
        self.task_name = task_name
