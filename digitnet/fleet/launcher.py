"""Find out which launcher, if any, has started this process as one of several ranks."""
