"""Who gets which arm: drawn once, named by a hash before the study, opened after it.

The hash is over everything that was drawn and 256 bits of chance, so it tells nothing
and cannot be met by another allocation. Whoever published it before the first session
can prove afterwards that nothing was changed.
"""

import base64
import dataclasses
import hashlib
import json
from typing import Any

from controller.errors import ConfigError, SealError
from controller.protocol.canonical import protocol_hash
from controller.protocol.draws import Draws
from controller.protocol.form import Blinding, Protocol

FORMAT = "phasegate-allocation-1"
"""Rises when the same bytes would mean something else."""

MOST_PARTICIPANTS = 9999
NONCE_BYTES = 32

# Blocks of two or three trials an arm: the last of a block cannot be foretold by
# somebody who does not know how long it is.
_BLOCKS = (2, 3)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """What was drawn.

    Parameters
    ----------
    protocol_hash : str
        Of the protocol as it was sealed.
    title : str
    arms : tuple of tuple of str
        Code and arm, in the order in which participants come.
    coils : tuple of tuple of str
        Arm and coil code; empty unless shams differ by coil.
    nonce : str
        Hexadecimal digits of chance.
    """

    protocol_hash: str
    title: str
    arms: tuple[tuple[str, str], ...]
    coils: tuple[tuple[str, str], ...]
    nonce: str

    @property
    def commitment(self) -> str:
        """SHA-256 of everything, as hexadecimal digits."""
        return hashlib.sha256(self._canonical()).hexdigest()

    @property
    def codes(self) -> tuple[str, ...]:
        """What the operator sees."""
        return tuple(code for code, _ in self.arms)

    def arm_of(self, code: str) -> str:
        """Return the arm under a code; never to be shown without a log entry.

        Raises
        ------
        SealError
            There is no such code.
        """
        for known, arm in self.arms:
            if known == code:
                return arm
        raise SealError(
            f"The allocation has no code {code!r}; it has {self.codes[0]} to "
            f"{self.codes[-1]}."
        )

    def coil_of(self, code: str) -> str | None:
        """Return which coil the operator takes; None where arms share one."""
        arm = self.arm_of(code)
        return dict(self.coils).get(arm)

    def fits(self, protocol: Protocol) -> None:
        """Refuse a protocol whose arms are others.

        Raises
        ------
        SealError
        """
        blinding = protocol.blinding
        told = set() if blinding is None else set(blinding.arms)
        if told != {arm for _, arm in self.arms}:
            raise SealError(
                f"The allocation of {self.title!r} has other arms than the protocol's "
                "[blinding]; take the protocol that it was sealed for."
            )

    def _canonical(self) -> bytes:
        return json.dumps(
            {"format": FORMAT, **dataclasses.asdict(self)},
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode("utf-8")

    def sealed(self) -> bytes:
        """Return the bytes of the sealed file: unreadable at a glance, not secret."""
        masked = _masked(self._canonical(), self.commitment)
        page = {
            "format": FORMAT,
            "commitment": self.commitment,
            "sealed": base64.b64encode(masked).decode("ascii"),
        }
        return (json.dumps(page, indent=1) + "\n").encode("utf-8")

    def public(self) -> dict[str, Any]:
        """Return what may be published: the commitment and the codes."""
        return {
            "format": FORMAT,
            "commitment": self.commitment,
            "protocol_hash": self.protocol_hash,
            "title": self.title,
            "codes": list(self.codes),
        }


def draw_allocation(protocol: Protocol, n: int, nonce: bytes) -> Allocation:
    """Draw arms for `n` participants, balanced within blocks of hidden length.

    Parameters
    ----------
    protocol : Protocol
    n : int
        Participants.
    nonce : bytes
        At least 32, from the system's source of chance; never used twice.

    Raises
    ------
    ConfigError
        The protocol is not blinded.
    """
    blinding = protocol.blinding
    if blinding is None:
        raise ConfigError(
            "The protocol has no [blinding], so there is nothing to seal; add it."
        )
    if not 1 <= n <= MOST_PARTICIPANTS:
        raise ConfigError(
            f"--participants is {n}, but must be from 1 to {MOST_PARTICIPANTS}."
        )
    if not len(nonce) >= NONCE_BYTES:
        raise ValueError(f"a nonce has at least {NONCE_BYTES} bytes, not {len(nonce)}")
    draws = Draws(FORMAT, nonce, "arms")
    arms: list[str] = []
    while len(arms) < n:
        length = _BLOCKS[draws.below(len(_BLOCKS))]
        arms += draws.shuffled(list(blinding.arms) * length)
    digits = max(3, len(str(n)))
    return Allocation(
        protocol_hash=protocol_hash(protocol),
        title=protocol.title,
        arms=tuple(
            (f"P{number:0{digits}d}", arm)
            for number, arm in enumerate(arms[:n], start=1)
        ),
        coils=_coils(blinding, Draws(FORMAT, nonce, "coils")),
        nonce=nonce.hex(),
    )


def unsealed(content: bytes, *, where: str) -> Allocation:
    """Return the allocation in a sealed file, if it is what was committed to.

    Parameters
    ----------
    content : bytes
    where : str
        Names the file in messages.

    Raises
    ------
    SealError
    """
    try:
        page = json.loads(content)
        if page["format"] != FORMAT:
            raise SealError(
                f"{where} has the format {page['format']!r}, which this version of "
                "phasegate does not read."
            )
        clear = _masked(
            base64.b64decode(page["sealed"], validate=True), page["commitment"]
        )
        told = json.loads(clear)
        allocation = Allocation(
            protocol_hash=told["protocol_hash"],
            title=told["title"],
            arms=tuple((code, arm) for code, arm in told["arms"]),
            coils=tuple((arm, coil) for arm, coil in told["coils"]),
            nonce=told["nonce"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SealError(
            f"{where} is no sealed allocation, or is damaged; take the copy that was "
            "kept when it was sealed."
        ) from error
    require_commitment(allocation, page["commitment"], where=where)
    if allocation.sealed() != content:
        raise SealError(f"{where} was changed after it was sealed. Do not use it.")
    return allocation


def require_commitment(allocation: Allocation, commitment: str, *, where: str) -> None:
    """Refuse an allocation that is not the one committed to.

    Raises
    ------
    SealError
    """
    if allocation.commitment != commitment.strip().lower():
        raise SealError(
            f"{where} is not the allocation that was committed to: its hash begins "
            f"with {allocation.commitment[:12]}, the commitment with "
            f"{commitment.strip()[:12]}. Do not use it."
        )


def _coils(blinding: Blinding, draws: Draws) -> tuple[tuple[str, str], ...]:
    codes = draws.shuffled(blinding.coil_codes)
    return tuple(zip(blinding.arms, codes, strict=True)) if codes else ()


def _masked(content: bytes, key: str) -> bytes:
    # Keeps an arm from being read by accident. It is no secret from somebody who wants
    # to know: the key stands beside it.
    stream = b"".join(
        hashlib.sha256(f"{key}/{count}".encode()).digest()
        for count in range(len(content) // 32 + 1)
    )
    return bytes(a ^ b for a, b in zip(content, stream, strict=False))
