"""Studies of the board's model: each fills its results file and writes its part of docs/board-model.md from it."""
