"""Each worker has `run_once() -> int`: the number of items done."""
