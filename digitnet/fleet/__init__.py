"""Several processes train one network: what ranks say to each other, and MPI."""
