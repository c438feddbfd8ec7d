"""The plan: one small TOML file in which everybody reads the same. What is learned, who takes part,
how single contributions are hidden, and where to meet.

    [learning]
    task = "spam"                   # or a file of one's own: "mine.py"
    rounds = 3
    lr = 0.01

    [parties]                       # a public key each; empty where all run in one process
    anna = "6f1d..."
    ben = "0c42..."
    cleo = "99ab..."

    [protection]
    sum = "secret"

Each section is a class below, and each key one of its fields. `plan_file.py` reads the file.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from .. import atomic
from ..errors import ArgumentError, DataError
from .ckks import PublicKey as CkksKey
from .differential_privacy import Budget, Private, noise_for, noisy
from .encrypted_sum import EncryptedSum, Encrypting
from .engine import Engine, Party
from .fixed_point import FixedPoint
from .keys import public_of, read_plain
from .messages import MOST_BYTES
from .noise import FixedBaseNoise
from .paillier import PublicKey as PaillierKey
from .partition import by_label, by_size, dirichlet, iid
from .robust import median, trimmed_mean
from .secure_aggregation import Identity, Masked, SecureSum, usual_threshold
from .summing import Summing, plain_sum

Array = Any
SUMS = ("open", "secret", "paillier", "ckks", "median", "trimmed")
LOCKED = ("paillier", "ckks")
DIVISIONS = ("alike", "sizes", "labels", "mixtures")
REST = "rest"


@dataclass(frozen=True)
class Learning:
    """[learning]: what is learned, and how.

    Attributes:
        task: "spam", "digits", or a Python file (`pellucid federate new` writes an example).
        rounds: how often what the parties have learned is brought together.
        lr, passes, batch_size, shuffle: how each party learns in a round.
        mu: how much it is held back (FedProx); 0 for FedAvg.
        per_round: ask only so many, drawn anew in each round; 0 asks all.
        at_least: with fewer answers than this, a round is not finished.
        seed: of the first weights, of drawing and of shuffling.
    """

    task: str
    rounds: int
    lr: float
    passes: int = 1
    batch_size: int = 32
    shuffle: bool = True
    mu: float = 0.0
    per_round: int = 0
    at_least: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Division:
    """[division]: who has which examples, for tasks that come with a dataset.

    Attributes:
        kind: "alike" (equal parts at random), "sizes" (in the order of the data), "labels" (few labels
            for each), "mixtures" (labels mixed unevenly, after Dirichlet).
        sizes: for "sizes", how many each party has; "rest" is all that is left.
        each: for "labels", how many kinds of label a party sees, about.
        alpha: for "mixtures": large, and all are alike; near 0, and each label is with one party.
        seed: of what is drawn.
    """

    kind: str = "alike"
    sizes: list[Any] = field(default_factory=list)
    each: int = 2
    alpha: float = 0.5
    seed: int = 0


@dataclass(frozen=True)
class Protection:
    """[protection]: who sees what.

    Attributes:
        sum: "open" (the coordinator sees each contribution), "secret" (masks that vanish from the sum),
            "paillier" or "ckks" (locked; somebody else holds the key), "median" or "trimmed" (open, and
            bears a few wrong parties).
        threshold: for "secret", how many parties have to stay; 0 for two thirds.
        limit: the largest number in a contribution, where it is hidden.
        cut: for "trimmed", how many are left out at either end.
        holder: for locked sums, who holds the key; registered under [parties], and no party to the
            learning.
        key: for locked sums, the file with the public key.
    """

    sum: str = "open"
    threshold: int = 0
    limit: float = 2.0**20
    cut: int = 1
    holder: str = ""
    key: str = ""


@dataclass(frozen=True)
class Privacy:
    """[privacy]: what may be told about a party in all rounds together; without this section, anything.

    Attributes:
        epsilon, delta: the budget of differential privacy.
        clip: the largest length of one party's update.
    """

    epsilon: float
    clip: float
    delta: float = 1e-5


@dataclass(frozen=True)
class Network:
    """[network]: where to meet.

    Attributes:
        coordinator: its public key.
        address: host and port at which the parties find it.
        deadline: seconds that a party has for one answer.
        patience: seconds that the coordinator waits for parties to come.
        most_bytes: how long a message may be.
        authority: the certificate (PEM) of who signed the coordinator's. It is needed between machines,
            so that what is sent is encrypted on the way; "none" does without.
    """

    coordinator: str = ""
    address: str = "127.0.0.1:9092"
    deadline: float = 60.0
    patience: float = 120.0
    most_bytes: int = MOST_BYTES
    authority: str = ""


@dataclass(frozen=True)
class Plan:
    """What all have agreed on.

    Args:
        folder: where the plan lies; the files that it names are looked for there.
        parties: the public key of each, in hex; empty where all run in one process.
        learning, division, protection, privacy, network: the sections.

    Raises:
        ArgumentError: sections that do not fit together.
    """

    folder: Path
    parties: Mapping[str, str]
    learning: Learning
    division: Division = Division()
    protection: Protection = Protection()
    privacy: Privacy | None = None
    network: Network = Network()

    def __post_init__(self) -> None:
        _choice("[protection] sum", self.protection.sum, SUMS)
        _choice("[division] kind", self.division.kind, DIVISIONS)
        if not self.learners:
            raise ArgumentError(
                "[parties] names nobody who could learn: name = 'public key', a line each"
            )
        holder, locked = self.protection.holder, self.protection.sum in LOCKED
        if locked and holder not in self.parties:
            raise ArgumentError(
                f"[protection] holder is {holder!r}: who holds the key of a locked sum is named there, and "
                "has a public key under [parties] as the others have"
            )
        if holder and not locked:
            raise ArgumentError(
                f"[protection] holder is {holder!r}, and a sum that is {self.protection.sum!r} has no key. "
                "Leave the holder out"
            )
        if self.privacy is not None and self.protection.sum not in ("open", "secret"):
            raise ArgumentError(
                f"[privacy] goes with a sum that is open or secret, not {self.protection.sum!r}: noise is "
                "measured against a sum of parties who all count the same"
            )

    @property
    def learners(self) -> tuple[str, ...]:
        """The parties that learn: all but the one who holds a key."""
        return tuple(name for name in self.parties if name != self.protection.holder)

    @property
    def registry(self) -> dict[str, bytes]:
        """The public key of each party.

        Raises:
            ArgumentError: one is missing, or no key.
        """
        return {name: public_of(f"[parties] {name}", key) for name, key in self.parties.items()}

    @property
    def authority(self) -> Path | None:
        """The certificate to trust; None if what is sent is not encrypted on the way.

        Raises:
            ArgumentError: it would leave this machine and be read by whoever stands between.
            DataError: there is no such file.
        """
        file, host = self.network.authority, self.network.address.rpartition(":")[0]
        if file and file != "none":
            if not (self.folder / file).exists():
                raise DataError(f"[network] authority: there is no file {self.folder / file}")
            return self.folder / file
        if not file and host not in ("127.0.0.1", "localhost", "[::1]"):
            raise ArgumentError(
                f"[network] address is {self.network.address}, another machine, and nothing would be "
                "encrypted on the way.\nName the certificate that the parties trust under authority; "
                'authority = "none" does without'
            )
        return None

    @property
    def mark(self) -> bytes:
        """32 bytes that stand for what was agreed on; where to meet is no part of it."""
        said = asdict(self)
        said = {name: said[name] for name in said if name not in ("folder", "network")}
        said["learning"]["task"] = Path(self.learning.task).name
        return sha256(repr(sorted(said.items())).encode()).digest()

    def divided(self, labels: Any) -> dict[str, Array]:
        """The positions of each party's examples, by name.

        Args:
            labels: (count,), of all examples.

        Raises:
            ArgumentError: there are too few examples.
        """
        names, how = self.learners, self.division
        if how.kind == "sizes":
            if len(how.sizes) != len(names):
                raise ArgumentError(
                    f"[division] has {len(how.sizes)} sizes, and there are {len(names)} parties: "
                    f"{', '.join(names)}"
                )
            parts = by_size(len(labels), [None if size == REST else size for size in how.sizes])
        elif how.kind == "labels":
            parts = by_label(labels, len(names), how.each, how.seed)
        elif how.kind == "mixtures":
            parts = dirichlet(labels, len(names), how.alpha, how.seed)
        else:
            parts = iid(len(labels), len(names), how.seed)
        return dict(zip(names, parts, strict=True))

    # -------------------------------------------------------------------------- both sides of the sum

    def hidden(
        self, party: Party, name: str, identity: Identity | None = None, public: Any = None
    ) -> Party:
        """A party that shows what the plan says and no more.

        Args:
            party: the one that learns, such as a `Trainer`.
            name: its name.
            identity: its own key; a secret sum needs it.
            public: the public key of a locked sum.
        """
        kind = self.protection.sum
        if self.privacy is not None:
            among = self.threshold if kind == "secret" else 1
            noise = self.noise if kind == "secret" else 0.0
            party = Private(party, self.privacy.clip, noise_multiplier=noise, among=among)
        if kind == "secret":
            assert identity is not None
            registry = self.registry_of_learners(identity, name)
            return Masked(party, name, identity, registry, at_least=self.threshold)
        if kind in LOCKED:
            noise_source = FixedBaseNoise(public) if kind == "paillier" else None
            return Encrypting(party, public, self.encoding, noise_source)
        return party

    def registry_of_learners(self, identity: Identity, name: str) -> dict[str, bytes]:
        """The keys that count in a secret sum.

        Raises:
            ArgumentError: the identity is not the one that is registered under this name.
        """
        registry = {n: key for n, key in self.registry.items() if n in self.learners}
        if registry.get(name) != identity.public:
            raise ArgumentError(
                f"this is not the key of {name}: [parties] {name} is another one.\nIts public half is "
                f"{identity.public.hex()}"
            )
        return registry

    def summing(
        self, holder: Engine | None = None, public: Any = None, spent: Path | None = None
    ) -> Summing:
        """The coordinator's side: how contributions are added up.

        Args:
            holder: an engine that reaches who holds the key of a locked sum.
            public: its public half.
            spent: a file that keeps how many rounds of the privacy budget are spent.

        Raises:
            MissingExtraError: what is asked for needs an extra.
        """
        kind, how = self.protection.sum, self.protection
        if kind in LOCKED:
            assert holder is not None
            return EncryptedSum(public, self.encoding, holder)
        plain: dict[str, Callable[[], Summing]] = {
            "open": lambda: plain_sum,
            "median": lambda: median,
            "trimmed": lambda: trimmed_mean(how.cut),
            "secret": lambda: SecureSum(
                {n: key for n, key in self.registry.items() if n in self.learners},
                threshold=how.threshold or None,
                limit=how.limit,
            ),
        }
        summing = plain[kind]()
        if self.privacy is None:
            return summing
        noise, budget = self.noise, Spent(self.privacy, self.noise, spent)
        return noisy(summing, self.privacy.clip, 0.0 if kind == "secret" else noise, budget)

    @property
    def threshold(self) -> int:
        """How many parties have to stay in a secret sum."""
        asked = min(self.learning.per_round or len(self.learners), len(self.learners))
        return self.protection.threshold or usual_threshold(asked)

    @property
    def noise(self) -> float:
        """The noise multiplier with which all rounds fit into the budget."""
        assert self.privacy is not None
        return noise_for(self.privacy.epsilon, self.privacy.delta, self.learning.rounds)

    @property
    def encoding(self) -> FixedPoint:
        """How numbers are written where they are locked."""
        return FixedPoint(self.protection.limit, max(len(self.learners), 2))

    def public_key(self) -> PaillierKey | CkksKey | None:
        """The public key of a locked sum, from its file; None where there are no locks.

        Raises:
            ArgumentError: the plan names no file, or it is not there.
        """
        if self.protection.sum not in LOCKED:
            return None
        if not self.protection.key:
            raise ArgumentError(
                f"[protection] sum is {self.protection.sum!r}: key names the file with the public key. "
                "pellucid federate key makes one"
            )
        kind = PaillierKey if self.protection.sum == "paillier" else CkksKey
        return kind.from_plain(read_plain(self.folder / self.protection.key))


class Spent(Budget):
    """A budget whose spending is on disk before anybody is asked, so that a round that is made again
    after a coordinator was killed counts twice: it was told twice.
    """

    def __init__(self, privacy: Privacy, noise: float, path: Path | None) -> None:
        rounds = int(path.read_text()) if path is not None and path.exists() else 0
        super().__init__(privacy.epsilon, privacy.delta, noise, rounds=rounds)
        self.path = path

    def spend(self) -> None:
        """Take one round from it, and write that down."""
        super().spend()
        if self.path is not None:
            atomic.write(self.path, str(self.rounds))


def _choice(where: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        near = difflib.get_close_matches(value, choices, 1, 0.5)
        meant = f" Is {near[0]!r} meant?" if near else ""
        raise ArgumentError(
            f"{where} is {value!r}.{meant} There are: {', '.join(map(repr, choices))}"
        )
