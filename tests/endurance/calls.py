"""Make every file system call of digitnet's commands fail once, as SQLite's own tests do.

    python tests/endurance/calls.py [--sample 200] [--seed 1] [--only train-fresh]...

One run under strace lists the calls of a command. The command then runs again for each call and
each error that the call may return, and strace makes this one call fail. After each run:

- Either stdout has the complete answer and the status is 0, or the status is 1 (2 for the config)
  and stderr has one line about the failure. Pictures whose files did not fail are still answered.
- The model is the old one, byte for byte, or a complete new one. A training resumed from it ends
  with the same bits as an undisturbed training. No other file is left in the folder; if `unlink`
  failed, none is left after the next run.

Calls that Python makes before `digitnet.__main__.main` starts (loader, standard library, `site`)
are left out, because digitnet cannot change their effect. strace's log shows the start: `main`
first sets a handler for SIGUSR1. Later imports are included, but there are thousands of calls for
libraries' files: each of them fails with one error in turn, and in one command per verb only.
strace counts the calls of each process separately; in the processes that prepare pictures for
`predict`, only calls with a path are made to fail.

Exit status: 1 if a check fails; 0 if strace is missing or may not trace.
"""

import argparse
import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from commands import COMMANDS, Command, write_inputs
from tracing import Done, Injection, Tracer, counting, injections, reason_to_skip

from configs import contents, differing
from digitnet.errors import CheckpointError
from digitnet.model.checkpoint import load_checkpoint
from digitnet.model.locations import SHIPPED

TIMINGS = re.compile(r'[0-9.,]+ s\b|[0-9,]+ images/s|"(seconds|images_per_second)": [0-9.e+-]+')
CONFIGS = re.compile(r".*\.yaml")
UNLINKS = ("unlink", "unlinkat")


class Trial:
    """One command, whose calls are made to fail one after the other."""

    def __init__(self, folder: Path, command: Command) -> None:
        self.command = command
        self.inputs, self.place = folder / "inputs", folder / "place"
        self.model = self.place / "model.npz"
        self.tracer = Tracer(folder)
        self.line = command.line(self.inputs)
        self.restore()
        self.undisturbed = self.run(counting())
        self.log = self.tracer.log.read_text(errors="replace")
        if self.undisturbed.status != command.status:
            raise RuntimeError(f"{self.line}: {self.undisturbed.stderr}")
        self.answers = settled(self.undisturbed.stdout)
        self.messages = set(settled(self.undisturbed.stderr))
        self.final = contents(self.model) if command.verb == "train" else {}

    def restore(self) -> None:
        """Put back the old model, or none."""
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        if self.command.linked:
            self.model.symlink_to("kept.npz")
        if self.command.old:
            shutil.copy(self.inputs / self.command.old, self.model)

    def run(self, options: list[str], line: list[str] | None = None) -> Done:
        stdin = self.inputs / self.command.stdin
        return self.tracer.run(line or self.line, stdin, self.place, options)

    def injections(self) -> list[Injection]:
        """Return all failures to inject into the command."""
        found = dict.fromkeys(injections(self.log, self.is_own))
        return [each for each in found if self.command.everything or self.is_own(each.path)]

    def is_own(self, path: str) -> bool:
        """Return whether a path belongs to the user or to digitnet, not to a library or memory."""
        own = (str(self.inputs.parent), "/dev/", SHIPPED)
        return path.startswith(own) if path.startswith("/") else path != "mmap"

    def faults(self, injection: Injection) -> tuple[Done, list[str]]:
        """Run the command with one injection; return its outcome and the faults found."""
        self.restore()
        done = self.run(injection.options())
        if done.hit is None:
            return done, []
        faults = [*self.wrong_answers(done, injection)]
        if self.command.verb == "train":
            faults += self.wrong_model(done, injection)
        elif leftovers := self.leftovers():
            faults.append(f"left {leftovers}")
        return done, faults

    def wrong_answers(self, done: Done, injection: Injection) -> Iterator[str]:
        """Yield faults in status, stdout and stderr."""
        answers = settled(done.stdout)
        extra = [line for line in settled(done.stderr) if line not in self.messages]
        if done.status is None:
            yield "hung"
        elif done.status == 0:
            if self.command.status or answers != self.answers:
                yield "status 0 without the complete answer"
            if extra and done.hit != str(self.tracer.stderr):
                yield f"status 0, but it says {extra}"
            if injection.call == "fsync" and injection.error != "EINTR":
                yield "status 0, but not flushed to disk"
        elif done.status == self.command.status and not extra:
            pass
        elif done.status != (2 if CONFIGS.fullmatch(done.hit or "") else 1):
            yield f"status {done.status}: {extra}"
        elif self.command.verb == "predict" and _each_named(answers, self.answers, extra):
            pass
        elif done.hit and Path(done.hit).parent.name in ("small", "large"):
            yield f"other pictures have no answer: {extra}"
        elif len(extra) != 1 and done.hit != str(self.tracer.stderr):
            yield f"status {done.status}, {len(extra)} lines: {extra[:1]} … {extra[-1:]}"
        elif answers and not _begins(answers, self.answers):
            yield "other answers"

    def wrong_model(self, done: Done, injection: Injection) -> Iterator[str]:
        """Yield faults in the model and its folder, for unfinished runs also after the next run."""
        leftovers = self.leftovers()
        if leftovers and injection.call not in UNLINKS:
            yield f"left {leftovers}"
        old = self.inputs / self.command.old if self.command.old else None
        is_there = self.model.exists()
        is_old = is_there == bool(old)
        if is_old and old:
            is_old = self.model.read_bytes() == old.read_bytes()
        if self.command.linked and not self.model.is_symlink():
            yield "the link is gone"
        if not is_old and not is_there:
            yield "the old model is gone"
            return
        if not is_old:
            yield from self.unsound()
        is_final = not is_old and not differing(contents(self.model), self.final)
        if done.status == 0 and not is_final:
            yield "status 0 without the complete model"
        if (leftovers or not (is_old or is_final)) and self.command.status == 0:
            yield from self.wrong_sequel(is_old)

    def wrong_sequel(self, is_old: bool) -> Iterator[str]:
        resuming = [*(word for word in self.line if word != "--overwrite"), "--resume"]
        after = self.run([], self.line if is_old else resuming)
        if after.status != 0:
            yield f"the next run has status {after.status}: {after.stderr}"
        elif names := differing(contents(self.model), self.final):
            yield f"after the next run {names} differ"
        if leftovers := self.leftovers():
            yield f"{leftovers} is left after the next run"

    def unsound(self) -> Iterator[str]:
        try:
            load_checkpoint(self.model, with_state=True)
        except CheckpointError as error:
            yield f"the model is damaged: {error}"

    def leftovers(self) -> list[str]:
        return sorted({path.name for path in self.place.iterdir()} - {"model.npz", "kept.npz"})


def settled(text: str) -> list[str]:
    """Return the lines of a text without timings, which differ from run to run."""
    return TIMINGS.sub("", text).splitlines()


def _begins(answers: list[str], expected: list[str]) -> bool:
    """Return whether `answers` is the start of `expected`; its last line may be cut."""
    complete = [line for line in answers if '"error"' not in line]
    return "\n".join(expected).startswith("\n".join(complete))


def _each_named(answers: list[str], expected: list[str], messages: list[str]) -> bool:
    """Return whether each picture without an answer has a line on stderr (and an error in JSON)."""
    complete = [line for line in answers if '"error"' not in line]
    missing = [_picture(line) for line in expected if line not in complete]
    if [line for line in expected if line in complete] != complete or len(messages) != len(missing):
        return False
    is_json = expected[0].startswith("{")
    errors = [_picture(line) for line in answers if '"error"' in line]
    named = all(line.startswith(f"{path}: ") for path, line in zip(missing, messages))
    return bool(messages) and named and errors == (missing if is_json else [])


def _picture(line: str) -> Any:
    return json.loads(line)["path"] if line.startswith("{") else line.partition("\t")[0]


def chosen(items: list[Any], sample: int | None, seed: int) -> list[Any]:
    """Return an evenly spaced sample; the seed shifts it."""
    if sample is None or sample >= len(items):
        return items
    n = len(items)
    shift = seed * 7 % max(n // sample, 1)
    return [items[(number * n // sample + shift) % n] for number in range(sample)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", choices=list(COMMANDS), metavar="COMMAND")
    parser.add_argument("--sample", type=int, metavar="N", help="injections; default: all")
    parser.add_argument("--seed", type=int, default=0, help="which sample")
    arguments = parser.parse_args()
    if reason := reason_to_skip():
        print(f"skipped: {reason}")
        return
    outcomes: Counter[str] = Counter()
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        (folder / "inputs").mkdir()
        write_inputs(folder / "inputs")
        trials = {title: Trial(folder, COMMANDS[title]) for title in arguments.only or COMMANDS}
        all_calls = [
            (title, each) for title, trial in trials.items() for each in trial.injections()
        ]
        for title, injection in chosen(all_calls, arguments.sample, arguments.seed):
            done, faults = trials[title].faults(injection)
            for fault in faults:
                print(f"{title}: {injection}: {fault}", flush=True)
            if faults:
                outcomes["faults"] += 1
            elif done.hit is None:
                outcomes["not reached"] += 1
            else:
                outcomes["harmless" if done.status == 0 else "one line"] += 1
    print(
        f"{sum(outcomes.values()):,} of {len(all_calls):,} calls made to fail: "
        f"{outcomes['harmless']:,} harmless, {outcomes['one line']:,} reported in one line, "
        f"{outcomes['not reached']:,} not reached, {outcomes['faults']:,} faults"
    )
    sys.exit(outcomes["faults"] > 0)


if __name__ == "__main__":
    main()
