"""Define the config once: its keys, their types, bounds, defaults and descriptions.

Checks, messages and the JSON Schema for editors are derived from this definition.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from digitnet.config.threads import MAX_THREADS


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base class of the config's sections: immutable, compared by value."""


def key(description: str, **bounds: Any) -> Meta:
    """Return the metadata of a key: its description and the bounds of its value."""
    return Meta(description=description, **bounds)


Path = Annotated[str, Meta(min_length=1)]
Paths = Path | Annotated[tuple[Path, ...], Meta(min_length=1)]


class RehearsalSection(Section, frozen=True):
    path: Annotated[
        Paths | None,
        key(
            "data that the start has learned from, relative to the config file; or a list of "
            "paths. A path that does not exist is left out. Default: none"
        ),
    ] = None
    pictures: Annotated[int, key("how many of its training pictures to use", ge=1)] = 2000
    rate_without: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        key(
            "learning rate if none of the paths exists: without rehearsal, a network forgets less "
            "if it learns more slowly. Default: the optimizer's"
        ),
    ] = None


class DataSection(Section, frozen=True):
    path: Annotated[
        Paths,
        key(
            "data to learn from: IDX, .npy, .npz, .csv or a folder of pictures, relative to the "
            "config file; or a list of paths. A path listed n times is used n times per epoch"
        ),
    ]
    validation: Annotated[
        Annotated[int, Meta(ge=0)] | Annotated[float, Meta(gt=0, lt=1)] | None,
        key(
            "training examples held out for validation: a count, or a fraction below 1. "
            "Default: 5000, or a tenth of the training set if that is less"
        ),
    ] = None
    transposed: Annotated[
        bool,
        key(
            "true if arrays hold the pictures with rows and columns exchanged, as EMNIST's files "
            "do; folders of pictures are not affected"
        ),
    ] = False
    pictures_per_epoch: Annotated[
        Annotated[int, Meta(ge=1, le=10_000_000)] | None,
        key(
            "training pictures are repeated, all equally often, until an epoch has about this "
            "many. Default: once"
        ),
    ] = None
    balance: Annotated[
        bool,
        key("true: pictures of rare classes are used more often, up to the most frequent class"),
    ] = False
    rehearsal: Annotated[
        RehearsalSection,
        key("pictures that are added to each epoch, so that the start's knowledge is kept"),
    ] = RehearsalSection()
    non_digits: Annotated[
        tuple[str, ...],
        key(
            "folders of this name, in any case, hold pictures that show no class: training teaches "
            "the network equal probabilities for them. []: no folder does"
        ),
    ] = ("none", "nothing", "nan")
    label_pattern: Annotated[
        str | None,
        key(
            "how pictures are named in a folder without class folders: <label> stands for the "
            "label, * for any text; <label>_* finds 7 in 7_003.png"
        ),
    ] = None


class NetworkSection(Section, frozen=True):
    layer_sizes: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=1_000_000)], ...],
        key(
            "neurons in each layer: first 784 (the pixels), last one per class. "
            "Required without `start`",
            min_length=2,
        ),
    ] = ()
    activation: Annotated[
        Literal["sigmoid", "tanh", "relu"] | None,
        key("activation function of the hidden layers. Default: sigmoid"),
    ] = None
    output: Annotated[
        Literal["sigmoid", "softmax"] | None,
        key(
            "activation function of the last layer; sigmoid: an independent score per class, "
            "softmax: probabilities that sum to 1. Default: sigmoid"
        ),
    ] = None


class OptimizerSection(Section, frozen=True):
    name: Annotated[
        Literal["sgd", "adam", "adamw"],
        key("sgd: minibatch gradient descent; adam: Adam; adamw: Adam with decoupled l2"),
    ] = "sgd"
    learning_rate: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        key("step size per unit of gradient. Default: 0.2 for sgd, 0.001 for adam and adamw"),
    ] = None
    momentum: Annotated[float, key("sgd: momentum coefficient", ge=0, lt=1)] = 0.0
    nesterov: Annotated[bool, key("sgd: Nesterov momentum; needs momentum above 0")] = False
    beta_1: Annotated[
        float, key("adam, adamw: decay rate of the moving average of gradients", ge=0, lt=1)
    ] = 0.9
    beta_2: Annotated[
        float, key("adam, adamw: decay rate of the moving average of squared gradients", ge=0, lt=1)
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
        key("cosine: the learning rate falls along half a cosine to the fraction `final`"),
    ] = "constant"
    warmup: Annotated[
        float, key("fraction of the training during which the rate first rises from 0", ge=0, lt=1)
    ] = 0.0
    final: Annotated[
        float, key("cosine: fraction of the learning rate at the end of the training", ge=0, le=1)
    ] = 0.01


class AugmentSection(Section, frozen=True):
    rotation: Annotated[
        float, key("maximum rotation, degrees, in both directions", ge=0, le=180)
    ] = 0.0
    scale: Annotated[
        float, key("maximum change of width and of height, as a fraction", ge=0, le=1)
    ] = 0.0
    shear: Annotated[
        float, key("maximum shear, pixels sideways per pixel of height", ge=0, le=2)
    ] = 0.0
    shift: Annotated[float, key("maximum shift along each axis, pixels", ge=0, le=28)] = 0.0
    elastic: Annotated[
        float,
        key("α of elastic distortions, pixels; Simard et al. 2003 use 34", ge=0, le=1000),
    ] = 0.0
    smoothness: Annotated[
        float,
        key("σ of elastic distortions, pixels; Simard et al. 2003 use 4", ge=0.5, le=28),
    ] = 4.0
    final: Annotated[
        float,
        key("fraction of the distortions in the last epoch; they shrink linearly", ge=0, le=1),
    ] = 1.0


MAX_SHARDS = 1024


class TrainingSection(Section, frozen=True):
    epochs: Annotated[int, key("passes over the training set", ge=1)] = 30
    minibatch_size: Annotated[int, key("examples per step", ge=1)] = 10
    shards: Annotated[
        Literal[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
        key(
            "equal parts of a minibatch whose gradients are computed one by one; ranks of mpiexec "
            "share them, and any number of ranks gives the same bits"
        ),
    ] = 1
    optimizer: Annotated[
        OptimizerSection, key("rule that updates weights and biases in each step")
    ] = OptimizerSection()
    schedule: Annotated[ScheduleSection, key("learning-rate schedule")] = ScheduleSection()
    l2: Annotated[
        float,
        key(
            "L2 regularisation: adds l2 × w to the gradient of each weight w; adamw subtracts "
            "learning rate × l2 × w from w instead. Biases are not regularised",
            ge=0,
            le=1000,
        ),
    ] = 0.0
    freeze: Annotated[
        int, key("with `start`: how many layers, counted from the pixels, do not change", ge=0)
    ] = 0
    dropout: Annotated[
        float, key("fraction of the hidden neurons that each step switches off", ge=0, lt=1)
    ] = 0.0
    batch_norm: Annotated[
        bool,
        key("batch normalisation: inputs of hidden neurons get mean 0, variance 1 per minibatch"),
    ] = False
    background: Annotated[
        float,
        key(
            "synthetic non-digits per training picture; the network is trained towards equal "
            "probabilities for them",
            ge=0,
            le=1,
        ),
    ] = 0.0
    drawn: Annotated[
        float,
        key("synthetic digits per training picture, in styles from around the world", ge=0, le=1),
    ] = 0.0
    patience: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        key("stop after this many epochs without improvement on validation. Default: never"),
    ] = None
    threads: Annotated[
        Literal["auto"] | Annotated[int, Meta(ge=1, le=MAX_THREADS)],
        key("processes that divide the neurons; auto: as many as speed this network up"),
    ] = "auto"
    checkpoint_seconds: Annotated[
        float,
        key("`digitnet train` saves within an epoch at most once per this many seconds", gt=0),
    ] = 60.0
    landscape: Annotated[
        bool,
        key("keep the path of the training and the cost around it, for `digitnet report`"),
    ] = True
    max_minutes: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        key("`digitnet train` saves and stops after this many minutes; --resume continues"),
    ] = None


class Config(Section, frozen=True):
    """Settings of one training."""

    data: Annotated[DataSection, key("training data")]
    start: Annotated[
        Path | None,
        key(
            "model whose parameters training starts from: shipped (the model that ships with "
            "digitnet) or the path of a model, relative to the config file; network and cost are "
            "then the model's. Default: random parameters"
        ),
    ] = None
    network: Annotated[NetworkSection, key("layers of the network")] = NetworkSection()
    cost: Annotated[
        Literal["quadratic", "cross_entropy"] | None,
        key("cost function that training minimises. Default: quadratic"),
    ] = None
    augment: Annotated[
        AugmentSection, key("random distortions of training pictures, new in each epoch")
    ] = AugmentSection()
    training: Annotated[TrainingSection, key("settings of the training")] = TrainingSection()
    seed: Annotated[
        int, key("seed of all random numbers: the same seed gives the same network", ge=0)
    ] = 1
    model: Annotated[
        str, key("path of the checkpoint to write, relative to the config file", min_length=1)
    ] = "model.npz"


OUTPUT_KEY = "model"
START_KEY = "start"
PATH_KEYS = ("data.path", "data.rehearsal.path", START_KEY, OUTPUT_KEY)
NETWORK_DEFAULTS = {"activation": "sigmoid", "output": "sigmoid"}
DEFAULT_COST = "quadratic"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a config file (draft 2020-12)."""
    definition = msgspec.json.schema(Config)
    del definition["$defs"]["NetworkSection"]["properties"]["layer_sizes"]["default"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "digitnet config",
        "anyOf": [{"required": ["network"]}, {"required": ["start"]}],
        **definition,
    }
