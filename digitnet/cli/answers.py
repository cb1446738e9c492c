"""Answer pictures and print the answers to stdout, the errors to stderr."""

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from digitnet.cli.output import print_json, print_message, print_result, printable
from digitnet.cli.sources import ArrayFile, Batch
from digitnet.errors import DataError, ImageError

if TYPE_CHECKING:
    from digitnet.cli.prepared import PreparedFolder
    from digitnet.image.look import Reading
    from digitnet.model.numbers import Numbers
    from digitnet.model.prediction import Model, Prediction


class Answering(NamedTuple):
    """How pictures are answered: with which model, and in which form.

    digits: the digits in a picture, None for all numbers. top: how many digits are printed.
    prepared: where prepared pictures are saved, before their answers are printed.
    """

    model: "Model"
    digits: int | None
    as_json: bool
    top: int
    show: bool
    verbose: bool
    prepared: "PreparedFolder | None" = None

    def print_answers(self, batches: Iterable[Batch]) -> bool:
        """Print an answer or an error for each picture; return whether there was no error."""
        all_read = True
        for answers in self._answers(batches):
            for name, result in answers:
                try:
                    self._print_answer(name, result)
                except ImageError as error:
                    all_read = False
                    print_message(str(error))
                    if self.as_json:
                        print_json({"path": name, "error": error.problem}, flush=False)
            sys.stdout.flush()
        return all_read

    def may_have_printed(self, answer: dict[str, Any]) -> bool:
        """Return whether a JSON object has the model and the form of these answers.

        answer: with the name of its picture under the key `path`.
        """
        if "error" in answer:
            return True
        top = min(self.top, len(self.model.class_names))
        prepared = self.prepared and self.prepared.path_of(answer["path"])
        return (
            answer.get("model_sha256") == self.model.checkpoint.sha256
            and ("digit" in answer) == (self.digits == 1)
            and len(answer.get("top", "1")) == top
            and answer.get("prepared") == prepared
        )

    def _answers(self, batches: Iterable[Batch]) -> Iterator[list[tuple[str, Any]]]:
        """Yield batches of names, each with an ImageError, a `Prediction` or `Numbers`."""
        from digitnet.image.workers import worker_count

        for is_arrays, group in groupby(batches, lambda batch: isinstance(batch, ArrayFile)):
            pictures: Any = group
            if is_arrays:
                for file in pictures:
                    yield from self._array_answers(file)
            elif self.digits == 1:
                yield from self.model.answers(pictures, processes=worker_count())
            else:
                count = worker_count()
                yield from self.model.number_answers(pictures, self.digits, processes=count)

    def _array_answers(self, file: ArrayFile) -> Iterator[list[tuple[str, Any]]]:
        """Yield the answers to the pictures in a file of arrays, or the error of reading it."""
        from digitnet.model.array_files import answer_array_file

        path = file.path
        if self.digits != 1:
            found = "found a file of arrays, each a single digit; leave out --digits"
            yield [(path, ImageError(path, f"expected a picture of numbers, {found}"))]
            return
        try:
            remarks, answers = answer_array_file(self.model, *file)
        except DataError as error:
            yield [(path, ImageError(path, str(error).removeprefix(f"{path}: ")))]
            return
        for remark in remarks:
            print_message(remark)
        yield from answers

    def _print_answer(self, name: str, result: Any) -> None:
        """Print an answer. Raises ImageError if it is one, or if it cannot be saved."""
        if isinstance(result, ImageError):
            raise result
        if self.digits == 1:
            self._print_digit(name, result)
        else:
            self._print_numbers(name, result)

    def _print_digit(self, name: str, prediction: "Prediction") -> None:
        from digitnet.model.doubt import picture_problem

        if self.verbose:
            doubt = prediction.doubt
        else:
            doubt = picture_problem(prediction.grounds, prediction.calibration)
        saved = self.prepared and self.prepared.save(name, prediction.reading.image)
        if doubt:
            print_message(f"{name}: {doubt}")
        if self.as_json:
            print_json(self._digit_as_json(name, prediction, saved), flush=False)
        else:
            print_result(self._digit_as_text(name, prediction), flush=False)

    def _print_numbers(self, name: str, numbers: "Numbers") -> None:
        from digitnet.cli.numbers import as_json, as_text

        if numbers.doubt:
            print_message(f"{name}: {numbers.doubt}")
        if self.as_json:
            print_json(as_json(name, numbers, self.model), flush=False)
        else:
            print_result(as_text(name, numbers, self.show), flush=False)

    def _digit_as_text(self, name: str, prediction: "Prediction") -> str:
        fields = [printable(name)]
        for rank, (digit, confidence) in enumerate(prediction.top(self.top)):
            is_doubtful = rank == 0 and not prediction.is_digit
            fields += ["?" if is_doubtful else printable(str(digit)), f"{confidence:.4f}"]
        line = "\t".join(fields)
        if not self.show:
            return line
        from digitnet.cli.show import drawing

        return f"{line}\n{drawing(prediction)}"

    def _digit_as_json(
        self, name: str, prediction: "Prediction", saved: str | None
    ) -> dict[str, Any]:
        reading, is_prepared = prediction.reading, prediction.is_prepared
        box = dict(zip(("top", "left", "bottom", "right"), reading.box))
        value = {
            "path": name,
            "digit": prediction.digit,
            "confidence": prediction.confidence,
            "probabilities": prediction.probabilities.tolist(),
            "evidence": prediction.evidence,
            "doubt": prediction.doubt,
            "box": None if is_prepared else box,
            "decisions": None if is_prepared else _decisions_as_json(reading),
            "model": self.model.path,
            "model_sha256": self.model.checkpoint.sha256,
        }
        if self.top > 1:
            value["top"] = [
                {"digit": digit, "confidence": confidence}
                for digit, confidence in prediction.top(self.top)
            ]
        if saved is not None:
            value["prepared"] = saved
        return value


def _decisions_as_json(reading: "Reading") -> dict[str, Any]:
    return {
        "dark": reading.dark,
        "threshold": reading.threshold,
        "stroke": reading.stroke,
        "corner": dict(zip(("top", "left"), reading.corner)),
        "digits": reading.digits,
        "prior": reading.prior,
    }
