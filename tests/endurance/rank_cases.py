"""What may happen to a training of several ranks: signals, killed and stopped ranks, failures."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rank_jobs import SOON, Ended, Place, wait_for

TERM, INT, HUP, USR1 = signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1
KILL, STOP = signal.SIGKILL, signal.SIGSTOP
Act = Callable[[Place], Ended]
BUG = "ZeroDivisionError: a bug"


@dataclass
class Case:
    """Something that happens to a training.

    happen: makes it happen, and returns how the training ended. mpich, open_mpi: statuses that
    mpiexec may end with. message: part of the only line that digitnet says; "" if it says nothing.
    state: of the checkpoint afterwards; None where chance decides. may_be_lost: whether Open MPI's
    mpiexec, which is told to end itself, may lose the line, and kill the ranks before they have
    saved. resumes: whether the checkpoint is carried to the end. quick: whether it is one of
    pytest's tests.
    """

    title: str
    happen: Callable[[Place], Ended]
    mpich: tuple[int, ...]
    open_mpi: tuple[int, ...]
    message: str = ""
    state: str | None = None
    may_be_lost: bool = False
    resumes: bool = True
    quick: bool = False

    def problems(self, ended: Ended, title: str) -> Iterator[str]:
        """Yield what is not as it should be."""
        is_mpich = title == "MPICH"
        if ended.status not in (self.mpich if is_mpich else self.open_mpi):
            yield f"status {ended.status}"
        if ended.survivors:
            yield f"{ended.survivors} ranks left"
        if ended.seconds > SOON:
            yield f"{ended.seconds:.1f} s"
        is_late = self.may_be_lost and not is_mpich
        if ended.state == "unreadable" or not (is_late or self.state in (None, ended.state)):
            yield f"checkpoint: {ended.state}"
        said = sum(self.message in line for line in ended.err)
        if self.message and said != 1 and (said or not is_late):
            yield f"said {said} times"
        traces = sum("Traceback" in line for line in ended.err)
        if traces != (self.message == BUG):
            yield f"{traces} tracebacks"
        if is_mpich and self.message and self.message != BUG and len(ended.err) != 1:
            yield f"{len(ended.err)} lines"
        if ended.status == 0 and len(ended.err) != bool(self.message):
            yield "more lines than one"


def send(number: signal.Signals, target: int | str, times: int = 1) -> Callable[..., None]:
    """Return an act: send a signal to a rank, or to mpiexec."""

    def act(process: Any, pids: dict[int, int]) -> None:
        time.sleep(0.3)
        for again in range(times):
            if again:
                time.sleep(0.02)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pids[target] if isinstance(target, int) else process.pid, number)

    return act


def signalled(
    number: signal.Signals,
    target: int | str,
    times: int = 1,
    *,
    fault: str | None = None,
    when: Callable[[Place], Callable[[Any], object]] | None = None,
) -> Act:
    def happen(place: Place) -> Ended:
        return place.train(
            2,
            act=send(number, target, times),
            when=when and when(place),
            program=place.program(fault) if fault else None,
        )

    return happen


def at_reading(place: Place) -> Callable[[Any], object]:
    def wait(process: Any) -> None:
        wait_for(Path(f"{place.output}.lock"))
        time.sleep(1.5)  # all ranks have loaded their modules

    return wait


def at_checkpoint(place: Place) -> Callable[[Any], object]:
    return lambda process: wait_for(place.output)


def asks_to_save(target: int | str) -> Act:
    """SIGUSR1 saves within an epoch, and training goes on: SIGTERM ends it."""

    def happen(place: Place) -> Ended:
        def act(process: Any, pids: dict[int, int]) -> None:
            send(USR1, target)(process, pids)
            wait_for(place.output, 5)
            if not place.output.exists() or process.poll() is not None:
                print("SIGUSR1 saved nothing")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pids[0], TERM)

        slow = ["--set", "training.minibatch_size=4", "--set", "data.pictures_per_epoch=400000"]
        return place.train(2, *slow, act=act)

    return happen


def faulty(fault: str, rank: int) -> Act:
    return lambda place: place.train(2, program=place.program(fault, rank), within=SOON)


def refused(ranks: int, *more: str, config: str | None = None, **options: Any) -> Act:
    def happen(place: Place) -> Ended:
        given = place.arguments(*more, config=place.folder / config if config else None)
        return place.train(ranks, arguments=given, within=SOON, **options)

    return happen


def checked(*more: str) -> Act:
    """Check that --dry-run prints once."""

    def happen(place: Place) -> Ended:
        ended = refused(2, "--dry-run", *more)(place)
        assert sum("seed" in line for line in ended.out) == 1, ended
        return ended

    return happen


def own_folders(place: Place, change: Callable[[Path], None]) -> list[str]:
    """Give each rank a folder of its own as the data's place, change rank 1's; return the program.

    The config names the data by /proc/self/cwd, which is another folder in each rank.
    """
    for rank in (0, 1):
        folder = place.folder / f"rank{rank}"
        folder.mkdir(exist_ok=True)
        np.savez(folder / "digits.npz", images=place.images, labels=place.labels)
    change(place.folder / "rank1" / "digits.npz")
    script = f'cd {place.folder}/rank${{PMI_RANK:-$OMPI_COMM_WORLD_RANK}} && exec "$@"'
    return ["sh", "-c", script, "sh", *place.program()]


def elsewhere(change: Callable[[Path], None]) -> Act:
    def happen(place: Place) -> Ended:
        program = own_folders(place, change)
        given = place.arguments("--set", "data.path=/proc/self/cwd/digits.npz")
        return place.train(2, program=program, arguments=given, within=SOON)

    return happen


def lacks_file(path: Path) -> None:
    path.unlink()


def has_other_pictures(path: Path) -> None:
    with np.load(path) as file:
        images = file["images"].copy()
        images[100, 14, 14] ^= 1
        np.savez(path, images=images, labels=file["labels"])


def unreadable_picture(place: Place) -> Ended:
    from PIL import Image

    folder = place.folder / "pictures"
    for label in range(2):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        for number in range(20):
            path = folder / str(label) / f"{number:02}.png"
            Image.fromarray(place.images[number + 20 * label]).save(path)
    (folder / "1" / "19.png").write_bytes(b"no picture")  # of the last rank
    layers = "network.layer_sizes=[784,10,2]"
    more = ["--strict", "--set", f"data.path={folder}", "--set", layers]
    return place.train(2, *more, within=SOON)


def locked(place: Place) -> Ended:
    with open(f"{place.output}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ended = place.train(2, within=SOON)
    Path(f"{place.output}.lock").unlink()
    ended.lock = False
    return ended


def into_head(place: Place) -> Ended:
    """`mpiexec … --format json | head -n 1`"""
    began = time.monotonic()
    arguments = place.arguments("--format", "json")
    arguments.remove("-v")
    command = [*place.mpi.launcher, "-n", "2", *place.program(), *arguments]
    script = '"$@" | head -n 1; exit ${PIPESTATUS[0]}'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *command],
        capture_output=True,
        env={**os.environ, **place.environment},
        cwd=place.folder,
        timeout=60,
        check=False,
    )
    err = [line for line in done.stderr.decode().splitlines() if not line.startswith("epoch ")]
    ended = Ended(done.returncode, time.monotonic() - began, done.stdout.decode().split("\n"), err)
    ended.state = place.state()
    return ended


def closed_stderr(place: Place) -> Ended:
    program = ["sh", "-c", 'exec "$@" 2>&-', "sh", *place.program()]
    return place.train(2, "--set", "training.epochs=2", program=program, within=SOON)


def late(place: Place) -> Ended:
    return place.train(2, "--set", "training.max_minutes=0.01", "--set", "training.epochs=400")


def nested(place: Place) -> Ended:
    """Each rank is a script that starts a training of its own, with an output of its own."""
    script = (
        'rank=${PMI_RANK:-$OMPI_COMM_WORLD_RANK}; out="$1"; shift; "$@" -o "$out.$rank" || exit; '
        'if [ "$rank" = 1 ]; then echo "an own training" >&2; fi'
    )
    program = ["sh", "-c", script, "sh", str(place.output), *place.program()]
    given = ["train", "-q", "--config", str(place.config), "--set", "training.epochs=1"]
    return place.train(2, program=program, arguments=given, within=SOON)


def control_c(times: int) -> Act:
    """Press Ctrl-C in a terminal in which mpiexec runs."""

    def happen(place: Place) -> Ended:
        given = place.arguments()
        given.remove("-v")
        command = [*place.mpi.launcher, "-n", "2", *place.program(), *given]
        pid, terminal = pty.fork()
        if not pid:
            os.chdir(place.folder)
            os.execvpe(command[0], command, {**os.environ, **place.environment})
        shown = _shown(terminal, b"epoch", 30)
        began = time.monotonic()
        for _ in range(times):
            os.write(terminal, b"\x03")
            time.sleep(0.02)
        shown = _shown(terminal, None, SOON)
        with contextlib.suppress(OSError):
            if time.monotonic() - began >= SOON:
                os.kill(pid, KILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        seconds = time.monotonic() - began
        os.close(terminal)
        lines = [line.strip() for line in shown.decode().replace("\r", "\n").split("\n")]
        err = [line for line in lines if line and "epoch " not in line[:30]]
        err = [line for line in err if "[mpiexec@" not in line]
        err += [line for line in lines if "stopped by" in line and line not in err]
        ended = Ended(status, seconds, [], err)
        ended.state, ended.lock = place.state(), Path(f"{place.output}.lock").exists()
        return ended

    return happen


def _shown(terminal: int, until: bytes | None, timeout: float) -> bytes:
    """Return what a terminal shows, until it shows something or is closed."""
    shown, end = b"", time.monotonic() + timeout
    while time.monotonic() < end and not (until and until in shown):
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                part = os.read(terminal, 65536)
            except OSError:  # the last process that had it open has ended
                break
            if not part:
                break
            shown += part
    return shown


RATE = "training.optimizer={name: sgd, learning_rate: 1.0e+9}"


def stopped_by(number: signal.Signals, target: int | str, **options: Any) -> Case:
    """Return the case of a signal that stops a training, which is saved."""
    status, is_mpiexec = 128 + number, target == "mpiexec"
    return Case(
        f"{number.name[3:]} to {target if is_mpiexec else f'rank {target}'}",
        signalled(number, target),
        (status,),
        (1, status) if is_mpiexec else (status,),
        f"stopped by {number.name} in",
        "saved",
        may_be_lost=is_mpiexec,
        **options,
    )


def saved_by(target: int | str) -> Case:
    title = f"USR1 to {target if target == 'mpiexec' else f'rank {target}'}, then TERM to rank 0"
    message = "stopped by SIGTERM in"
    return Case(title, asks_to_save(target), (143,), (143,), message, "saved", resumes=False)


def killed(number: signal.Signals, target: int, **options: Any) -> Case:
    title = f"{number.name[3:]} to rank {target}"
    if number == KILL:
        act = signalled(number, target, when=at_checkpoint)
        return Case(title, act, (9,), (137,), "", "saved", **options)
    act = signalled(number, target, fault="impatient", when=at_checkpoint)
    title += ", no answer for 2 s (else 10 minutes)"
    return Case(title, act, (1,), (1,), "expected an answer", "saved", **options)


def stopped_while(
    what: str, target: int | str, fault: str, message: str, state: str, when: Any = None
) -> Case:
    title = f"TERM to {target if target == 'mpiexec' else f'rank {target}'} while rank 0 {what}"
    act = signalled(TERM, target, fault=fault, when=when)
    is_mpiexec = target == "mpiexec"
    open_mpi = (1, 143) if is_mpiexec else (143,)
    return Case(title, act, (143,), open_mpi, message, state, may_be_lost=is_mpiexec)


def fails(title: str, act: Act, message: str, state: str | None = "none", **options: Any) -> Case:
    return Case(title, act, (1,), (1,), message, state, **options)


def refuses(title: str, act: Act, message: str, **options: Any) -> Case:
    return Case(title, act, (2,), (2,), message, **options)


VALIDATING = ("validates", "slow-validation", "stopped by SIGTERM in", "saved")
READING = ("reads", "slow-reading", "before the first step", "none")

CASES = [
    stopped_by(TERM, "mpiexec", quick=True),
    stopped_by(INT, "mpiexec"),
    Case("INT to mpiexec, twice", signalled(INT, "mpiexec", 2), (255, 130, 1, 0), (1, 130)),
    Case("Ctrl-C", control_c(1), (130,), (1, 130), "stopped by SIGINT in", "saved", True),
    Case("Ctrl-C, twice", control_c(2), (255, 130), (1, 130)),
    Case("HUP to mpiexec", signalled(HUP, "mpiexec", when=at_checkpoint), (-1,), (1, 129)),
    Case("KILL to mpiexec", signalled(KILL, "mpiexec", when=at_checkpoint), (-9,), (-9,)),
    saved_by("mpiexec"),
    *(stopped_by(number, rank) for rank in (0, 1) for number in (TERM, INT, HUP)),
    *(saved_by(rank) for rank in (0, 1)),
    Case("INT to rank 1, twice", signalled(INT, 1, 2), (130,), (130,)),
    Case(
        "INT to rank 1, twice, while rank 0 reads",
        signalled(INT, 1, 2, fault="slow-reading", when=at_reading),
        (130,),
        (130,),
        state="none",
    ),
    Case("INT to rank 1 before MPI starts", faulty("start", 1), (2, 11), (130,), quick=True),
    Case("rank 1 ends before MPI starts", faulty("no-start", 1), (14,), (1,)),
    killed(KILL, 0),
    killed(KILL, 1, quick=True),
    killed(STOP, 0),
    killed(STOP, 1),
    *(stopped_while(VALIDATING[0], target, *VALIDATING[1:]) for target in ("mpiexec", 1)),
    *(stopped_while(READING[0], target, *READING[1:], at_reading) for target in ("mpiexec", 1)),
    fails("a file missing in rank 1", elsewhere(lacks_file), "rank 1: ", quick=True),
    fails("a picture that rank 1 cannot read, --strict", unreadable_picture, "19.png"),
    fails("other pictures in rank 1", elsewhere(has_other_pictures), "others in rank 1"),
    fails("other parameters in rank 1", faulty("numbers", 1), "others in rank 1"),
    fails("no memory in rank 1", faulty("memory", 1), "rank 1: not enough memory", None),
    fails("a bug in rank 1, in the loop", faulty("loop", 1), BUG, None, quick=True),
    fails("a bug in rank 0, in the loop", faulty("loop", 0), BUG, None),
    fails("a bug in rank 0, at validation", faulty("validation", 0), BUG, None),
    fails("disk full", faulty("disk", 0), "cannot be written: File too large", quick=True),
    fails("numbers that are not finite", refused(2, "--set", RATE), "no longer finite", quick=True),
    Case("output locked", locked, (75,), (75,), "another training is writing it", quick=True),
    Case("`| head`", into_head, (141,), (1, 141), state=None, quick=True),
    Case("stderr closed", closed_stderr, (0,), (0,), state="saved"),
    Case("`training.max_minutes` over", late, (0,), (0,), state="saved"),
    refuses("3 ranks for 4 shards", refused(3), "multiple of the 3 ranks", quick=True),
    refuses("8 ranks for 4 shards", refused(8), "multiple of the 8 ranks"),
    refuses("wrong config", refused(2, "--set", "seed=x"), "--set seed=x: seed: expected"),
    refuses("no config", refused(2, config="none.yaml"), "none.yaml"),
    refuses("usage error", refused(2, "--no-such-option"), "No such option", quick=True),
    Case("`--dry-run`", checked(), (0,), (0,), quick=True),
    Case("`--dry-run --format json`", checked("--format", "json"), (0,), (0,)),
    Case("a rank's script starts a training", nested, (0,), (0,), "an own training"),
]
