"""Every command and option explains itself, and stands in the READMEs."""

import re
from functools import cache
from pathlib import Path

import click
import pytest
from conftest import REPOSITORY, Run

from digitnet.cli import cli
from digitnet.errors import ExitStatus

README = (REPOSITORY / "README.md").read_text()
PAGES = ("README.md", "configs/README.md", "data/README.md", "tests/README.md")
COMMANDS = sorted(cli.commands)
OPTIONS = [
    (name, parameter)
    for name, command in sorted(cli.commands.items())
    for parameter in command.params
    if isinstance(parameter, click.Option)
]
LONG = [
    (name, option)
    for name, parameter in OPTIONS
    for option in parameter.opts
    if option.startswith("--")
]


@cache
def helped(run: Run, *arguments: str) -> str:
    """Return what the command prints; each help is printed once for all tests."""
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def test_the_commands_are_those_documented() -> None:
    assert {"train", "evaluate", "predict", "info"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_says_what_it_does(run: Run, name: str) -> None:
    text = helped(run, name, "--help")
    assert text.startswith(f"Usage: digitnet {name} ")
    assert cli.commands[name].help
    assert re.search(rf"^  {name} +\w", helped(run, "--help"), re.MULTILINE)


@pytest.mark.parametrize(("name", "parameter"), OPTIONS, ids=[f"{n} {p.name}" for n, p in OPTIONS])
def test_each_option_says_what_it_does(name: str, parameter: click.Option) -> None:
    assert parameter.help, f"{name} {parameter.opts}"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_shows_examples(run: Run, name: str) -> None:
    assert f"  digitnet {name}" in helped(run, name, "--help")


@pytest.mark.parametrize(("name", "option"), LONG, ids=[" ".join(pair) for pair in LONG])
def test_each_option_is_shown_in_the_help(run: Run, name: str, option: str) -> None:
    assert re.search(rf"(?<!\S){option}(?=[\s,])", helped(run, name, "--help"))


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_in_the_readme(name: str) -> None:
    assert f"digitnet {name}" in README


@pytest.mark.parametrize("page", PAGES)
def test_a_readme_names_only_options_that_there_are(page: str) -> None:
    known = {option for _, option in LONG} | {"--help", "--version"}
    text = (REPOSITORY / page).read_text()
    commands = re.compile(r"\bdigitnet \w+ .*")  # not the options of what starts it
    lines = [found[0] for line in text.splitlines() if (found := commands.search(line))]
    used = {option for line in lines for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", line)}
    assert used <= known


@pytest.mark.parametrize("status", ExitStatus, ids=lambda status: status.name)
def test_each_exit_status_is_in_the_readme(status: ExitStatus) -> None:
    table = [line for line in README.splitlines() if line.startswith("|")]
    assert any(re.match(rf"\| [\d, ]*\b{int(status)}\b", line) for line in table)


@pytest.mark.parametrize(
    "status", [s for s in ExitStatus if s != ExitStatus.BROKEN_PIPE], ids=lambda s: s.name
)
def test_each_exit_status_is_in_the_help(run: Run, status: ExitStatus) -> None:
    table = helped(run, "--help").partition("Exit status")[2]
    assert re.search(rf"\b{int(status)}\b", table)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_the_help_names_only_existing_configs(run: Run, name: str) -> None:
    text = helped(run, *filter(None, [name]), "--help")
    for path in re.findall(r"configs/\S+\.yaml", text):
        assert (REPOSITORY / path).is_file(), path


def test_an_unknown_command_is_one_line(run: Run) -> None:
    done = run("trian")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"digitnet: No such command 'trian'.")
    assert len(done.stderr.splitlines()) == 1


def test_without_a_command_it_shows_the_help(run: Run) -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith("Usage: digitnet ")


def test_the_short_help_option_works_too(run: Run) -> None:
    assert helped(run, "-h") == helped(run, "--help")


def test_the_help_needs_no_data_model_or_config(run: Run, tmp_path: Path) -> None:
    for name in COMMANDS:
        assert run(name, "--help", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "-m"], "digitnet predict: Option '-m' requires an argument. See"),
        (["evaluate", "foo"], "digitnet evaluate: Got unexpected extra argument (foo). See"),
        (["predict", "--tops"], "digitnet predict: No such option '--tops'. Did you mean '--top'?"),
        (["--nix"], "digitnet: No such option '--nix'. See"),
    ],
)
def test_a_wrong_command_is_one_line_that_points_to_the_help(
    run: Run, arguments: list[str], message: str
) -> None:
    done = run(*arguments)
    assert done.returncode == ExitStatus.USAGE
    command = message.partition(":")[0]
    assert done.stderr.decode().startswith(message)
    assert done.stderr.decode().endswith(f" See {command} --help.\n")
