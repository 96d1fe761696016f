"""Where a list goes on."""

After = tuple[str, str]  # the last row's time and name
