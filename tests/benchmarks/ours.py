"""digitnet as a contender: `train` with a config, and BLAS threads limited as the command does."""

from mnist import read_mnist
from trainer import Trainer
from workloads import Threads, Workload, begin_training


def limit_blas_threads(workload: Workload, threads: Threads) -> Threads:
    """Limit BLAS as `digitnet train` does before NumPy is loaded; return threads for the config."""
    from digitnet.config.threads import limit_blas

    limit_blas(1)
    return threads


def digitnet(workload: Workload) -> Trainer:
    return _digitnet(workload, "auto")


def digitnet_on_one_thread(workload: Workload) -> Trainer:
    return _digitnet(workload, 1)


def _digitnet(workload: Workload, threads: Threads) -> Trainer:
    threads = limit_blas_threads(workload, threads)
    from digitnet.training.loop import train

    state = begin_training(workload, threads)
    training = train(state.config, state)

    def epoch() -> None:
        while next(training).record is None:
            pass

    def accuracy() -> float:
        _, _, images, labels = read_mnist()
        return float((state.network(images).argmax(axis=1) == labels).mean())

    return Trainer(epoch, accuracy)
