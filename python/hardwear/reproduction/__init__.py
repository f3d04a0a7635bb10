"""The paper reproduced: one table of experiments, one file of results, one page made from it."""
