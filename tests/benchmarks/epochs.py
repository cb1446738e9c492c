"""Seconds per epoch: digitnet beside its peers and beside the bare matrix products."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from contenders import CONTENDERS
from processes import PYTHON, burner, environment
from table import Bar, Line, Section, best
from turns import take_turns
from works import WORKS

CONTENDERS_PY = str(Path(__file__).with_name("contenders.py"))
PEERS = ("JAX", "PyTorch", "scikit-learn")
AGREEMENT = 2  # percentage points; accuracies differ by the order of the pictures, less with rounds
OTHER_COST = {"videos": "scikit-learn"}  # who cannot have the squared cost, and gets cross-entropy


class Entrant:
    """A contender's process. Called, it runs an epoch and answers the seconds."""

    def __init__(self, work: str, name: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [PYTHON, CONTENDERS_PY, work, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(CONTENDERS[name].threads),
        )
        self._answer()  # that it is ready

    def __call__(self) -> float:
        assert self.process.stdin is not None
        print("go", file=self.process.stdin, flush=True)
        return float(self._answer())

    def finish(self) -> float | None:
        """Its accuracy, if it learns."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return float(answer) if (answer := self._answer()) else None

    def _answer(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: expected an answer, but it has ended")
        return line.strip()


@contextmanager
def _entrants(work: str, names: list[str]) -> Iterator[dict[str, Entrant]]:
    with ExitStack() as stack:
        entrants = {}
        for name in names:
            entrants[name] = Entrant(work, name)
            stack.enter_context(entrants[name].process)
            stack.callback(entrants[name].process.kill)
        yield entrants


def _measure(work: str, names: list[str], rounds: int) -> Section:
    """A section without bars but the one that holds the accuracies together."""
    with _entrants(work, names) as entrants:
        seconds = take_turns(entrants, rounds)
        accuracies = {name: entrant.finish() for name, entrant in entrants.items()}
    section, comparable = Section(WORKS[work].title), []
    for name, accuracy in accuracies.items():
        note = "" if accuracy is None else f"accuracy {accuracy:.2%}"
        if name.startswith(OTHER_COST.get(work, "none")):
            note += ", cross-entropy"
        elif accuracy is not None:
            comparable.append(accuracy)
        section.lines.append(Line(name, seconds[name], note=note))
    span = 100 * (max(comparable) - min(comparable))
    title = f"accuracies after {rounds + 1} epochs, from least to most"
    section.bars.append(Bar(title, span, AGREEMENT, " pp"))
    return section


def _named(section: Section, *prefixes: str) -> Line:
    """The fastest of the lines whose names begin so."""
    return best(line for line in section.lines if line.name.startswith(prefixes))


def _ours(section: Section) -> Line:
    return section.lines[0]


def videos(rounds: int) -> Section:
    names = [name for name in CONTENDERS if not name.startswith("bare")]
    section = _measure("videos", names, rounds)
    bars = [(line, 0.7) for line in section.lines if line.name.startswith("JAX")]
    bars += [(_named(section, "PyTorch"), 0.12), (_named(section, "scikit-learn"), 0.2)]
    for theirs, limit in bars:
        ratio = _ours(section).median / theirs.median
        section.bars.append(Bar(f"digitnet / {theirs.name}", ratio, limit))
    return section


def wide(rounds: int) -> Section:
    return _beside_the_limit("wide", list(CONTENDERS), rounds)


def deep(rounds: int) -> Section:
    """Without the peers on one thread, which would take nearly twice as long as on two."""
    slow = {"JAX, 1 core", "PyTorch, 1 thread", "scikit-learn, 1 thread"}
    return _beside_the_limit("deep", [name for name in CONTENDERS if name not in slow], rounds)


def _beside_the_limit(work: str, names: list[str], rounds: int) -> Section:
    section = _measure(work, names, rounds)
    ours, peer, limit = _ours(section), _named(section, *PEERS), _named(section, "bare")
    section.bars += [
        Bar(f"digitnet / best peer: {peer.name}", ours.median / peer.median, 1.1),
        Bar(f"{limit.name} / digitnet", limit.median / ours.median, 0.75, at_least=True),
    ]
    return section


def shared(rounds: int) -> Section:
    """For information, so of three rounds: the wide network beside a process that takes a core."""
    names = ["digitnet", "PyTorch, 1 thread", "PyTorch, 2 threads"]
    with _entrants("wide", names) as entrants:
        contenders: Mapping[str, Callable[[], float]] = {
            **{f"{name}, alone": entrant for name, entrant in entrants.items()},
            **{
                f"{name}, beside a busy core": beside_burner(entrant)
                for name, entrant in entrants.items()
            },
        }
        seconds = take_turns(contenders, min(rounds, 3))
    title = f"{WORKS['wide'].title}, beside a process that burns one core (for information)"
    return Section(title, [Line(name, values) for name, values in seconds.items()])


def beside_burner(measure: Callable[[], float]) -> Callable[[], float]:
    def measured() -> float:
        with burner():
            return measure()

    return measured
