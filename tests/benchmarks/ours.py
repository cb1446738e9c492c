"""digitnet as its users get it: `train` from a config, its threads settled as the command does."""

from mnist import read_mnist
from trainer import Trainer
from works import Threads, Work, begin_work


def settle_threads(work: Work, threads: Threads) -> Threads:
    """What `digitnet train` does before NumPy is loaded. Returns the threads for the config."""
    from digitnet.config.threads import limit_blas

    limit_blas(1)
    return threads


def digitnet(work: Work) -> Trainer:
    return _digitnet(work, "auto")


def digitnet_on_one_thread(work: Work) -> Trainer:
    return _digitnet(work, 1)


def _digitnet(work: Work, threads: Threads) -> Trainer:
    threads = settle_threads(work, threads)
    from digitnet.training.loop import train

    state = begin_work(work, threads)
    training = train(state.config, state)

    def epoch() -> None:
        while next(training).record is None:
            pass

    def accuracy() -> float:
        _, _, images, labels = read_mnist()
        return float((state.network(images).argmax(axis=1) == labels).mean())

    return Trainer(epoch, accuracy)
