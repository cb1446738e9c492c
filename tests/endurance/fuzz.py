"""Try damaged files of every kind, odd names, links, and data in other conventions than MNIST's.

Each input must get an answer or one clear error, in little time and memory.

    python tests/endurance/fuzz.py --inputs 100000 --seed 1
    python tests/endurance/fuzz.py --seed 1 --only 4711          # one input; its files are kept

An input depends on the seed and its number. Most inputs go to the functions that the commands call,
in separate processes; one in --share goes to the installed command. Findings are: any exception but
DigitnetError, a warning, more than 2 s, more than 512 MB, writing a file other than the output,
starting a process; for the command, an undocumented status, a traceback, more than one line (per
name of a list). Exit status 1 if there is a finding.
"""

import argparse
import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from targets import DIGITNET, KINDS, Targets

from digitnet.cli.output import printable
from digitnet.errors import DigitnetError

SECONDS = 2  # CPU time limit per input
PATIENCE = 10  # s: wall-clock limit per input on a busy machine
MEMORY = 512 << 20  # bytes
PORTION = 500  # inputs per process
OUTPUTS = {"resumed.npz", "resumed.npz.tmp"}
STATUSES = {0, 1, 2, 3}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
FORBIDDEN = ("subprocess.", "os.system", "os.exec", "socket.", "pickle.", "shutil.")
CHANGING = {"os.chmod", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.symlink", "os.link"}


class Slow(BaseException):
    """An input took too long. Not an Exception, so that no `except Exception` catches it."""


class Watch:
    """Record the files written and the programs started while an input is read."""

    def __init__(self) -> None:
        self.seen: list[str] | None = None
        sys.addaudithook(self._record)

    def _record(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.seen is None:
            return
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        changes = writes or event in CHANGING
        if changes and not _is_output(arguments[0]):
            self.seen.append(f"{event} {arguments[0]!r}")
        if event.startswith(FORBIDDEN):
            self.seen.append(event)

    @contextlib.contextmanager
    def watching(self) -> Iterator[list[str]]:
        self.seen = seen = []
        try:
            yield seen
        finally:
            self.seen = None


def _is_output(path: object) -> bool:
    return (
        isinstance(path, int) or os.path.basename(str(path)) in OUTPUTS
    )  # an open file, or a name


def work(numbers: range, seed: int, share: int, base: Path, now: Any, results: Any) -> None:
    """Try inputs in a new folder. now: shared, the number of the current input."""
    folder = Path(tempfile.mkdtemp(dir=base))
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libraries in C write there
    targets = Targets(folder)
    watch = Watch()
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", module="PIL")
    signal.signal(signal.SIGPROF, _late)
    signal.signal(signal.SIGALRM, _late)
    counts: Counter[str] = Counter()
    findings = []
    most = 0
    for number in numbers:
        now.value = number
        rng = random.Random(f"{seed} {number}")
        kind = rng.choice(KINDS)
        call, command = getattr(targets, kind)(rng)
        if number % share == 0:
            outcome, problem, memory = _by_command(command)
            kind = "command"
        else:
            outcome, problem, memory = _by_call(call, watch)
        most = max(most, memory)
        counts[f"{kind}: {outcome}"] += 1
        if problem:
            findings.append((number, kind, problem))
    results.put((counts, findings, most))
    os.chdir(base)


def _late(*_: object) -> None:
    raise Slow


def _by_call(call: Any, watch: Watch) -> tuple[str, str, int]:
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak of memory
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    outcome, problem = "answered", ""
    with watch.watching() as seen:
        try:
            call()
        except DigitnetError as error:
            outcome = "refused"
            if "\n" in printable(str(error)) or not str(error):
                problem = f"not one line: {error!s:.200}"
        except Slow:
            problem = f"more than {SECONDS} s\n{traceback.format_exc(limit=-3)}"
        except BaseException:
            problem = traceback.format_exc(limit=-4)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
    memory = _peak()
    if memory > MEMORY:
        problem += f"{memory >> 20} MB"
    if seen:
        problem += f"did {seen}"
    return ("a finding" if problem else outcome), problem, memory


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0


def _by_command(arguments: list[str]) -> tuple[str, str, int]:
    before = {name: os.lstat(name).st_mtime_ns for name in os.listdir()}
    process = subprocess.Popen(
        [DIGITNET, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        err = process.communicate(timeout=PATIENCE)[1].decode(errors="replace")
    except subprocess.TimeoutExpired:
        process.kill()
        return "a finding", f"{arguments}: more than {PATIENCE} s", 0
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
    after = {name: os.lstat(name).st_mtime_ns for name in os.listdir()}
    lines = err.rstrip("\n").split("\n")
    allowed = range(1, 1000) if "--files-from" in arguments else (1,)  # a line for each name
    problems = [
        f"status {process.returncode}" * (process.returncode not in STATUSES),
        "a traceback" * ("Traceback" in err),
        f"{len(lines)} lines" * (len(lines) not in allowed and process.returncode != 0),
        "control characters" * any(printable(line) != line for line in lines),
        f"{memory >> 20} MB" * (memory > MEMORY),
        "files changed" * ({n for n, t in after.items() if before.get(n) != t} > OUTPUTS),
    ]
    summary = ", ".join(filter(None, problems))
    problem = f"{arguments}: {summary}\n{err[-2000:]}" if summary else ""
    return ("a finding" if problem else f"status {process.returncode}"), problem, memory


def run(numbers: range, seed: int, share: int, base: Path, processes: int) -> int:
    """Divide the inputs between processes, print the outcomes, return the number of findings."""
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    waiting = [numbers[i : i + PORTION] for i in range(0, len(numbers), PORTION)][::-1]
    running: list[tuple[Any, Any, range, tuple[int, float]]] = []
    counts: Counter[str] = Counter()
    findings: list[tuple[int, str, str]] = []
    most, begun = 0, time.monotonic()
    while waiting or running or not results.empty():
        while waiting and len(running) < processes:
            portion, now = waiting.pop(), context.Value("q", -1)
            arguments = (portion, seed, share, base, now, results)
            process = context.Process(target=work, args=arguments)
            process.start()
            running.append((process, now, portion, (-1, time.monotonic())))
        time.sleep(0.05)
        while not results.empty():
            counted, found, memory = results.get()
            counts += counted
            findings += found
            most = max(most, memory)
        for entry in list(running):
            process, now, portion, (last, since) = entry
            at = int(now.value)
            stuck = time.monotonic() - since > 3 * PATIENCE and at == last
            if stuck:
                process.kill()
            process.join(0)
            if process.exitcode is None:
                if at != last:
                    running[running.index(entry)] = process, now, portion, (at, time.monotonic())
                continue
            running.remove(entry)
            if process.exitcode:
                problem = "stuck" if stuck else f"the process ended with {process.exitcode}"
                findings.append((at, "process", problem))
                if at + 1 < portion.stop and at >= 0:
                    waiting.append(range(at + 1, portion.stop))
    for number, kind, problem in sorted(findings):
        print(f"--- {number} ({kind}): {problem}")
    for what, count in sorted(counts.items()):
        print(f"{count:>8,}  {what}")
    print(
        f"{len(numbers):,} inputs of seed {seed}: {len(findings)} findings; at most "
        f"{most >> 20} MB; {time.monotonic() - begun:.0f} s"
    )
    return len(findings)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=int, default=250)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", type=int, help="the number of one input")
    options = parser.parse_args()
    numbers = range(1, options.inputs + 1)
    base = Path(tempfile.mkdtemp(prefix="digitnet-fuzz-"))
    try:
        if options.only is not None:
            numbers = range(options.only, options.only + 1)
            print(f"the files are in {base}")
        found = run(numbers, options.seed, options.share, base, options.processes)
    finally:
        if options.only is None:
            shutil.rmtree(base)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
