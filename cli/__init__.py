"""The `concord` command. Alone in the code base it may import several services: it runs them side by side."""
