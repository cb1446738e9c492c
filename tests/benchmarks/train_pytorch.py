"""Train the network of the videos in plain PyTorch: `train_pytorch.py THREADS EPOCHS FILE`."""

import sys

import torch
from mnist import read_mnist
from torch import nn

threads, epochs, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(threads)
torch.manual_seed(1)
images, labels, _, _ = read_mnist()
x = torch.tensor(images).reshape(-1, 784).float() / 255
y = nn.functional.one_hot(torch.tensor(labels), 10).float()
model = nn.Sequential(
    nn.Linear(784, 16),
    nn.Sigmoid(),
    nn.Linear(16, 16),
    nn.Sigmoid(),
    nn.Linear(16, 10),
    nn.Sigmoid(),
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.15)
for _ in range(epochs):
    for batch in torch.randperm(len(x)).split(10):
        cost = ((model(x[batch]) - y[batch]) ** 2).sum(dim=1).mean()
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
torch.save(model.state_dict(), path)
