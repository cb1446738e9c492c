"""Read labelled pictures from files and folders, and serve them to training as minibatches."""
