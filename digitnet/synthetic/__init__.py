"""Pictures for training that a program makes."""
