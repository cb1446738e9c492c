"""Measure seconds per epoch: digitnet compared with its peers and with bare matrix products."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from contenders import CONTENDERS
from processes import PYTHON, burner, environment
from table import Line, Section, Target, best
from turns import take_turns
from worker import Worker
from workloads import WORKLOADS

CONTENDERS_PY = str(Path(__file__).with_name("contenders.py"))
PEERS = ("JAX", "PyTorch", "scikit-learn")
MAX_ACCURACY_SPAN = 2  # percentage points: each contender has its own order of pictures
CROSS_ENTROPY_ONLY = {"videos": "scikit-learn"}  # has no squared cost for classes


@contextmanager
def _contender_processes(workload: str, names: list[str]) -> Iterator[dict[str, Worker]]:
    with ExitStack() as stack:
        processes = {}
        for name in names:
            command = [PYTHON, CONTENDERS_PY, workload, name]
            processes[name] = Worker(name, command, environment(CONTENDERS[name].threads))
            stack.enter_context(processes[name].process)
            stack.callback(processes[name].process.kill)
        yield processes


def _measure(workload: str, names: list[str], rounds: int) -> Section:
    """Return a section whose only target is the span of the accuracies."""
    with _contender_processes(workload, names) as processes:
        seconds = take_turns(processes, rounds)
        accuracies = {name: process.finish() for name, process in processes.items()}
    section, comparable = Section(WORKLOADS[workload].title), []
    for name, accuracy in accuracies.items():
        note = "" if accuracy is None else f"accuracy {accuracy:.2%}"
        if name.startswith(CROSS_ENTROPY_ONLY.get(workload, "none")):
            note += ", cross-entropy"
        elif accuracy is not None:
            comparable.append(accuracy)
        section.lines.append(Line(name, seconds[name], note=note))
    span = 100 * (max(comparable) - min(comparable))
    title = f"accuracies after {rounds + 1} epochs, highest - lowest"
    section.targets.append(Target(title, span, MAX_ACCURACY_SPAN, " pp"))
    return section


def _fastest(section: Section, *prefixes: str) -> Line:
    """Return the fastest of the lines whose names begin with one of the prefixes."""
    return best(line for line in section.lines if line.name.startswith(prefixes))


def _ours(section: Section) -> Line:
    return section.lines[0]


def videos(rounds: int) -> Section:
    names = [name for name in CONTENDERS if not name.startswith("bare")]
    section = _measure("videos", names, rounds)
    lines = {line.name: line for line in section.lines}
    targets = [(lines["JAX"], 0.6), (lines["JAX, 1 core"], 0.8)]
    targets += [(_fastest(section, "PyTorch"), 0.12), (_fastest(section, "scikit-learn"), 0.2)]
    for theirs, limit in targets:
        ratio = _ours(section).median / theirs.median
        section.targets.append(Target(f"digitnet / {theirs.name}", ratio, limit))
    return section


def wide(rounds: int) -> Section:
    return _measure_with_limit("wide", list(CONTENDERS), rounds, 1.0)


def deep(rounds: int) -> Section:
    """Measure the deep network, without peers on one thread: they take nearly twice as long."""
    slow = {"JAX, 1 core", "PyTorch, 1 thread", "scikit-learn, 1 thread"}
    names = [name for name in CONTENDERS if name not in slow]
    return _measure_with_limit("deep", names, rounds, 1.05)


def _measure_with_limit(workload: str, names: list[str], rounds: int, most: float) -> Section:
    section = _measure(workload, names, rounds)
    ours, peer, limit = _ours(section), _fastest(section, *PEERS), _fastest(section, "bare")
    section.targets += [
        Target(f"digitnet / best peer: {peer.name}", ours.median / peer.median, most),
        Target(f"{limit.name} / digitnet", limit.median / ours.median, 0.75, at_least=True),
    ]
    return section


def wide_beside_busy_core(rounds: int) -> Section:
    """Measure the wide network beside a process that keeps one core busy.

    At most three rounds, because no target depends on it.
    """
    names = ["digitnet", "PyTorch, 1 thread", "PyTorch, 2 threads"]
    with _contender_processes("wide", names) as processes:
        contenders: Mapping[str, Callable[[], float]] = {
            **{f"{name}, alone": process for name, process in processes.items()},
            **{
                f"{name}, beside a busy core": beside_burner(process)
                for name, process in processes.items()
            },
        }
        seconds = take_turns(contenders, min(rounds, 3))
    title = f"{WORKLOADS['wide'].title}, alone and beside a busy core (no target)"
    return Section(title, [Line(name, values) for name, values in seconds.items()])


def beside_burner(measure: Callable[[], float]) -> Callable[[], float]:
    def measured() -> float:
        with burner():
            return measure()

    return measured
