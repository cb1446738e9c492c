"""The ranks of an MPI job."""
