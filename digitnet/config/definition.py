"""The one definition of the config: its keys, their types, bounds, defaults and descriptions.

Checks, messages and the JSON Schema for editors all come from here.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from digitnet.config.threads import MOST


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys that belong together. Equal sections have equal values; none can be changed."""


def key(description: str, **bounds: Any) -> Meta:
    """What a key means, and what its value has to be."""
    return Meta(description=description, **bounds)


class DataSection(Section, frozen=True):
    path: Annotated[
        Annotated[str, Meta(min_length=1)]
        | Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)],
        key(
            "IDX, .npy, .npz, .csv or a folder of pictures, relative to the config file; or a list "
            "of such, to learn from all of them, and more often from what is in it more often"
        ),
    ]
    validation: Annotated[
        Annotated[int, Meta(ge=0)] | Annotated[float, Meta(gt=0, lt=1)] | None,
        key(
            "examples of the training set that are held out to choose by: a count, or a fraction "
            "below 1; 5000 where it is left out, or a tenth of a smaller training set"
        ),
    ] = None
    transposed: Annotated[
        bool, key("the arrays have the pictures' columns as rows, as EMNIST's files have")
    ] = False


class NetworkSection(Section, frozen=True):
    layer_sizes: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=1_000_000)], ...],
        key("neurons in each layer, from the 784 pixels to one output per class", min_length=2),
    ]
    activation: Annotated[
        Literal["sigmoid", "tanh", "relu"], key("of the neurons in the hidden layers")
    ] = "sigmoid"
    output: Annotated[
        Literal["sigmoid", "softmax"], key("of the last layer: ten yes-or-no, or one choice of ten")
    ] = "sigmoid"


class OptimizerSection(Section, frozen=True):
    name: Annotated[
        Literal["sgd", "adam", "adamw"],
        key("gradient descent in minibatches; Adam; Adam with l2 beside the gradient"),
    ] = "sgd"
    learning_rate: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        key("length of a step; 0.2 where it is left out, or 0.001 with adam and adamw"),
    ] = None
    momentum: Annotated[float, key("sgd: share of the last step that goes on", ge=0, lt=1)] = 0.0
    nesterov: Annotated[bool, key("sgd: look ahead along the momentum")] = False
    beta_1: Annotated[float, key("adam, adamw: how long gradients are averaged", ge=0, lt=1)] = 0.9
    beta_2: Annotated[
        float, key("adam, adamw: how long squared gradients are averaged", ge=0, lt=1)
    ] = 0.999


OPTIMIZER_KEYS = {
    "sgd": ("momentum", "nesterov"),
    "adam": ("beta_1", "beta_2"),
    "adamw": ("beta_1", "beta_2"),
}
LEARNING_RATES = {"sgd": 0.2, "adam": 0.001, "adamw": 0.001}


class ScheduleSection(Section, frozen=True):
    name: Annotated[
        Literal["constant", "cosine"],
        key("learning-rate schedule; cosine: falls along half a cosine to `final`"),
    ] = "constant"
    warmup: Annotated[
        float, key("share of the training in which the rate first rises from 0", ge=0, lt=1)
    ] = 0.0
    final: Annotated[
        float, key("share of the rate that is left at the end, but of a constant", ge=0, le=1)
    ] = 0.01


class AugmentSection(Section, frozen=True):
    rotation: Annotated[float, key("degrees, either way", ge=0, le=180)] = 0.0
    scale: Annotated[float, key("share of width and of height, either way", ge=0, le=1)] = 0.0
    shear: Annotated[float, key("pixels sideways per pixel of height, either way", ge=0, le=2)] = (
        0.0
    )
    shift: Annotated[float, key("pixels along each side, either way", ge=0, le=28)] = 0.0
    elastic: Annotated[
        float, key("α of Simard's elastic distortions, in pixels: 34 there", ge=0, le=1000)
    ] = 0.0
    smoothness: Annotated[
        float, key("σ of the Gaussian that smooths their field, in pixels: 4 there", ge=0.5, le=28)
    ] = 4.0
    final: Annotated[
        float, key("share of all this that is left in the last epoch; it fades evenly", ge=0, le=1)
    ] = 1.0


class TrainingSection(Section, frozen=True):
    epochs: Annotated[int, key("passes over the training set", ge=1)] = 30
    minibatch_size: Annotated[int, key("examples that make one step", ge=1)] = 10
    optimizer: Annotated[OptimizerSection, key("how to walk downhill")] = OptimizerSection()
    schedule: Annotated[ScheduleSection, key("of the learning rate")] = ScheduleSection()
    l2: Annotated[
        float,
        key(
            "adds l2 × w to each weight's gradient, or with adamw takes the learning rate times "
            "it off the weight; biases are left alone",
            ge=0,
            le=1000,
        ),
    ] = 0.0
    dropout: Annotated[
        float, key("share of hidden neurons that are silent in a step", ge=0, lt=1)
    ] = 0.0
    batch_norm: Annotated[
        bool, key("what comes to a hidden neuron gets mean 0, variance 1 in a minibatch")
    ] = False
    background: Annotated[
        float,
        key("made-up pictures of no digit for each picture, to be called all alike", ge=0, le=1),
    ] = 0.0
    drawn: Annotated[
        float,
        key("made-up digits for each picture, as people write them around the world", ge=0, le=1),
    ] = 0.0
    patience: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        key("epochs without a better one on validation after which training ends early"),
    ] = None
    threads: Annotated[
        Literal["auto"] | Annotated[int, Meta(ge=1, le=MOST)],
        key("threads that share the neurons; auto: as many as a step is worth"),
    ] = "auto"
    checkpoint_seconds: Annotated[
        float,
        key("seconds after which `digitnet train` saves in the middle of an epoch", gt=0),
    ] = 60.0
    max_minutes: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        key("minutes after which `digitnet train` saves and ends, to be resumed later"),
    ] = None


class Config(Section, frozen=True):
    """What to train, on what and how."""

    data: Annotated[DataSection, key("what to learn from")]
    network: Annotated[NetworkSection, key("what learns")]
    cost: Annotated[
        Literal["quadratic", "cross_entropy"], key("how bad an answer is: what training lowers")
    ] = "quadratic"
    augment: Annotated[
        AugmentSection, key("how far training's pictures are distorted, anew in each epoch")
    ] = AugmentSection()
    training: Annotated[TrainingSection, key("how it learns")] = TrainingSection()
    seed: Annotated[int, key("of everything random: same seed, same network", ge=0)] = 1
    model: Annotated[
        str, key("where the checkpoint goes, relative to the config file", min_length=1)
    ] = "model.npz"


OUTPUT = "model"  # the one of the paths that is written
PATHS = ("data.path", OUTPUT)


def schema() -> dict[str, Any]:
    """The JSON Schema of a config file (draft 2020-12)."""
    definition = msgspec.json.schema(Config)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "digitnet config",
        **definition,
    }
