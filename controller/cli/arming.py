"""The second step of arming: a person types the word."""

import signal

import click

from controller.cli.desk import Desk
from controller.cli.display import Display
from controller.cli.speech import say
from controller.rig.arming import ANSWER_WITHIN_S

WORD = "arm"
YES = "yes"


class Arming:
    """Asks whether a real output may be armed.

    Parameters
    ----------
    display : Display
        Makes room for the question.
    desk : Desk
    granted : bool
        It was granted beforehand, by an option.
    """

    def __init__(self, display: Display, desk: Desk, *, granted: bool) -> None:
        self._display = display
        self._desk = desk
        self._granted = granted

    def __call__(self, where: str) -> bool:
        """Return whether the output, named in a phrase, may be armed."""
        if self._granted:
            self._display.note(f"Armed by option: the {where}.")
            return True
        with self._display.paused():
            say(f"The {where} is real and will fire as soon as it is armed.")
            say(
                f"Type the word {WORD} and Enter within {ANSWER_WITHIN_S:g} s; "
                "anything else ends the session."
            )
            click.echo("> ", nl=False, err=True)
            answer = self._answer()
        return answer is not None and answer.strip() == WORD

    def ask(self, question: str) -> bool:
        """Return whether a person confirms what a device cannot tell by itself.

        No option answers for that: who gave it beforehand has not seen the device.
        """
        with self._display.paused():
            say(question)
            say(
                f"Type {YES} and Enter within {ANSWER_WITHIN_S:g} s; anything else is "
                "a no."
            )
            click.echo("> ", nl=False, err=True)
            answer = self._answer()
        return answer is not None and answer.strip() == YES

    def _answer(self) -> str | None:
        """Return the answer; Ctrl-C here is an answer, and also a wish to end."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return self._desk.read_answer(ANSWER_WITHIN_S)
        except KeyboardInterrupt:
            if callable(before) and before is not signal.default_int_handler:
                before(signal.SIGINT, None)
            return None
        finally:
            signal.signal(signal.SIGINT, before)
            click.echo(err=True)
